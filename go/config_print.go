package literllm

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// masked stands for a value that may be a secret, wherever a configuration is printed.
const masked = "[masked]"

// plainProvider and plainConfig have no methods, so they are printed as any struct is.
type (
	plainProvider Provider
	plainConfig   Config
)

// mask is the provider without its secrets: the key, unless it is a reference to one, the values of
// its headers and of its query, and a password in the URL.
func (v Provider) mask() Provider {
	if v.APIKey != "" && !strings.HasPrefix(v.APIKey, "env:") && !strings.HasPrefix(v.APIKey, "file:") {
		v.APIKey = masked
	}
	if strings.Contains(v.BaseURL, "@") {
		if base, err := url.Parse(v.BaseURL); err == nil {
			base.User = url.User(masked)
			v.BaseURL = base.String()
		} else {
			v.BaseURL = masked
		}
	}
	v.Headers, v.Query = maskValues(v.Headers), maskValues(v.Query)
	return v
}

// maskValues is a map of the same names, whose values are masked.
func maskValues(values map[string]string) map[string]string {
	if values == nil {
		return nil
	}
	out := make(map[string]string, len(values))
	for name := range values {
		out[name] = masked
	}
	return out
}

// Format prints the provider with every verb of fmt, and masks its secrets. Printing a [Config] masks
// them too. json.Marshal writes the document as it is. If a provider lies in an unexported field of
// another struct, fmt calls no methods, so do not print such a struct.
func (v Provider) Format(state fmt.State, verb rune) {
	type Provider plainProvider // the name that %#v prints
	fmt.Fprintf(state, fmt.FormatString(state, verb), Provider(v.mask()))
}

// LogValue is what slog logs: the provider without its secrets.
func (v Provider) LogValue() slog.Value { return slog.AnyValue(plainProvider(v.mask())) }

// LogValue is what slog logs: the configuration without the secrets of its providers.
func (v Config) LogValue() slog.Value {
	providers := make(map[string]Provider, len(v.Providers))
	for name, provider := range v.Providers {
		providers[name] = provider.mask()
	}
	v.Providers = providers
	return slog.AnyValue(plainConfig(v))
}
