package literllm

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
)

// masked stands for a value that may be a secret, wherever a configuration is printed.
const masked = "[masked]"

// plainProvider, plainConfig and plainOptions have no methods, so they are printed as any struct is.
type (
	plainProvider Provider
	plainConfig   Config
	plainOptions  Options
	plainAws      Aws
	plainGoogle   Google
	plainEntra    Entra
)

// maskValues is a table with its names only.
func maskValues(table map[string]string) map[string]string {
	if table == nil {
		return nil
	}
	names := make(map[string]string, len(table))
	for name := range table {
		names[name] = masked
	}
	return names
}

// maskKey is a key that may be shown: a reference to one.
func maskKey(text string) string {
	if text == "" || strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:") {
		return text
	}
	return masked
}

// maskURL is a URL without what may be secret in it: a user with a password, a query.
func maskURL(text string) string {
	if !strings.ContainsAny(text, "@?") {
		return text
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return masked
	}
	if parsed.User != nil {
		parsed.User = url.User(masked)
	}
	if parsed.RawQuery != "" {
		parsed.RawQuery = masked
	}
	return parsed.String()
}

// mask is the provider without its secrets: the key, unless it is a reference to one, the values of
// headers and of query parameters, and what the URL and the proxy's URL have of these.
func (v Provider) mask() Provider {
	v.APIKey = maskKey(v.APIKey)
	v.BaseURL, v.Proxy = maskURL(v.BaseURL), maskURL(v.Proxy)
	v.Headers, v.Query = maskValues(v.Headers), maskValues(v.Query)
	if v.Aws != nil {
		keys := v.Aws.mask()
		v.Aws = &keys
	}
	if v.Google != nil {
		credentials := v.Google.mask()
		v.Google = &credentials
	}
	if v.Entra != nil {
		identity := v.Entra.mask()
		v.Entra = &identity
	}
	return v
}

// mask is the keys without their values, unless one is a reference.
func (v Aws) mask() Aws {
	for _, text := range []*string{&v.AccessKeyID, &v.SecretAccessKey, &v.SessionToken} {
		*text = maskKey(*text)
	}
	return v
}

// mask is Google's credentials without their content, unless it is a reference.
func (v Google) mask() Google {
	v.Credentials = maskKey(v.Credentials)
	return v
}

// mask is the identity without its secret, unless it is a reference.
func (v Entra) mask() Entra {
	v.ClientSecret = maskKey(v.ClientSecret)
	return v
}

// mask is the options without the values of their headers.
func (v Options) mask() Options {
	v.Headers = maskValues(v.Headers)
	return v
}

// Format prints a client's type with every verb of fmt, and nothing of its configuration.
func (c Client) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "literllm.Client") }

// Format prints the options with every verb of fmt, and masks the values of headers. json.Marshal
// writes the document as it is.
func (v Options) Format(state fmt.State, verb rune) {
	type Options plainOptions // the name that %#v prints
	fmt.Fprintf(state, fmt.FormatString(state, verb), Options(v.mask()))
}

// LogValue is what slog logs: the options without the values of their headers.
func (v Options) LogValue() slog.Value { return slog.AnyValue(plainOptions(v.mask())) }

// Format prints the provider with every verb of fmt, and masks its secrets. Printing a [Config] masks
// them too. json.Marshal writes the document as it is. If a provider lies in an unexported field of
// another struct, fmt calls no methods, so do not print such a struct.
func (v Provider) Format(state fmt.State, verb rune) {
	type Provider plainProvider // the name that %#v prints
	fmt.Fprintf(state, fmt.FormatString(state, verb), Provider(v.mask()))
}

// LogValue is what slog logs: the provider without its secrets.
func (v Provider) LogValue() slog.Value { return slog.AnyValue(plainProvider(v.mask())) }

// Format prints AWS's keys with every verb of fmt, and masks them.
func (v Aws) Format(state fmt.State, verb rune) {
	type Aws plainAws // the name that %#v prints
	fmt.Fprintf(state, fmt.FormatString(state, verb), Aws(v.mask()))
}

// LogValue is what slog logs: the names of AWS's keys.
func (v Aws) LogValue() slog.Value { return slog.AnyValue(plainAws(v.mask())) }

// Format prints Google's credentials with every verb of fmt, and masks them.
func (v Google) Format(state fmt.State, verb rune) {
	type Google plainGoogle // the name that %#v prints
	fmt.Fprintf(state, fmt.FormatString(state, verb), Google(v.mask()))
}

// LogValue is what slog logs: whether there are credentials.
func (v Google) LogValue() slog.Value { return slog.AnyValue(plainGoogle(v.mask())) }

// Format prints the identity with every verb of fmt, and masks its secret.
func (v Entra) Format(state fmt.State, verb rune) {
	type Entra plainEntra // the name that %#v prints
	fmt.Fprintf(state, fmt.FormatString(state, verb), Entra(v.mask()))
}

// LogValue is what slog logs: the identity without its secret.
func (v Entra) LogValue() slog.Value { return slog.AnyValue(plainEntra(v.mask())) }

// LogValue is what slog logs: the configuration without the secrets of its providers.
func (v Config) LogValue() slog.Value {
	providers := make(map[string]Provider, len(v.Providers))
	for name, provider := range v.Providers {
		providers[name] = provider.mask()
	}
	v.Providers = providers
	return slog.AnyValue(plainConfig(v))
}
