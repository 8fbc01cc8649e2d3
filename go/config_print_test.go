package literllm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"
)

// Whatever prints a configuration masks the secrets in it, and says the rest.
func TestConfigPrintsMasked(t *testing.T) {
	provider := Provider{
		Kind:    "openai",
		APIKey:  "sk-canary-key",
		BaseURL: "https://me:canary-password@api.example.com/v1?key=canary-query",
		Headers: map[string]string{"x-team": "canary-header"},
		Query:   map[string]string{"key": "canary-parameter"},
		Proxy:   "http://me:canary-proxy@proxy.example.com:3128",
		Aws:     &Aws{AccessKeyID: "canary-id", SecretAccessKey: "canary-secret", SessionToken: "canary-token"},
		Google:  &Google{Credentials: "{\"private_key\": \"canary-credentials\"}"},
		Entra:   &Entra{ClientID: "shown", ClientSecret: "canary-client"},
	}
	config := Config{DefaultModel: "shown", Providers: map[string]Provider{"openai": provider}}
	values := map[string]any{
		"provider":    provider,
		"a pointer":   &provider,
		"aws":         *provider.Aws,
		"google":      *provider.Google,
		"entra":       *provider.Entra,
		"config":      config,
		"its pointer": &config,
		"a list":      []Provider{provider},
		"a struct":    struct{ Config Config }{config},
		"an error":    fmt.Errorf("failed: %w", errors.New(fmt.Sprint(config))),
	}
	for name, value := range values {
		printed := prints(t, value)
		for how, text := range printed {
			// slog knows nothing of what lies in a list or another struct: that is its document.
			inside := how == "slog's JSON" && (name == "a list" || name == "a struct")
			if shows(text) && !inside {
				t.Errorf("%s by %s: %s", name, how, text)
			}
		}
		if text := printed["%+v"]; name != "aws" && name != "google" && name != "entra" &&
			(!strings.Contains(text, "openai") || !strings.Contains(text, "x-team")) {
			t.Errorf("%s: not even what may be shown: %s", name, text)
		}
	}
	if text := fmt.Sprintf("%#v", provider); !strings.HasPrefix(text, `literllm.Provider{Kind:"openai"`) {
		t.Error(text)
	}
	for _, name := range []string{"provider", "a pointer", "config", "its pointer"} {
		for _, how := range []string{"slog's text", "slog's JSON"} {
			if text := prints(t, values[name])[how]; !strings.Contains(text, "x-team") {
				t.Errorf("%s by %s: %s", name, how, text)
			}
		}
	}
	// The originals and the document keep what they have.
	document, err := json.Marshal(config)
	if err != nil || !strings.Contains(string(document), "sk-canary-key") {
		t.Errorf("%s, %v", document, err)
	}
	if provider.Headers["x-team"] != "canary-header" {
		t.Error("printing changed the provider")
	}
	var none *Config
	_ = fmt.Sprintf("%+v", none)
}

// A reference to a key is no secret, and says what is wrong.
func TestReferencesToKeysAreShown(t *testing.T) {
	for _, key := range []string{"env:MY_KEY", "file:/run/key", ""} {
		if text := fmt.Sprintf("%+v", Provider{APIKey: key}); !strings.Contains(text, "APIKey:"+key+" ") {
			t.Error(text)
		}
	}
}

// A client shows nothing of its configuration and of its options, in whatever way it is printed.
func TestClientPrintsNoKey(t *testing.T) {
	t.Setenv("ANTHROPIC_API_KEY", "sk-canary-environment")
	config := Config{Providers: map[string]Provider{"openai": {APIKey: "sk-canary-key"}}}
	client, err := NewClient(WithConfig(config), WithProvider("openai"), WithAPIKey("sk-canary-own"),
		WithHeaders(map[string]string{"x-team": "canary-header"}), WithLogger(slog.Default()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	printed := prints(t, client)
	for how, text := range prints(t, *client) {
		printed["a value by "+how] = text
	}
	for how, text := range prints(t, struct{ Client *Client }{client}) {
		printed["in a struct by "+how] = text
	}
	for how, text := range printed {
		if shows(text) {
			t.Errorf("%s: %s", how, text)
		}
	}
	if text := fmt.Sprintf("%+v", client); text != "literllm.Client" {
		t.Error(text)
	}
	var none *Client
	_ = fmt.Sprintf("%+v", none)
}

// Options may have a header that a gateway takes for a key.
func TestOptionsPrintMasked(t *testing.T) {
	options := Options{Provider: "openai", Headers: map[string]string{"x-team": "canary-header"}}
	for what, value := range map[string]any{"options": options, "a pointer": &options, "a request": ChatRequest{Options: &options}} {
		for how, text := range prints(t, value) {
			if shows(text) && !(what == "a request" && how == "slog's JSON") { // which is the document
				t.Errorf("%s by %s: %s", what, how, text)
			}
		}
	}
	if text := fmt.Sprintf("%#v", options); !strings.HasPrefix(text, `literllm.Options{Provider:"openai"`) ||
		!strings.Contains(text, "x-team") {
		t.Error(text)
	}
	document, err := json.Marshal(options)
	if err != nil || !strings.Contains(string(document), "canary-header") {
		t.Errorf("%s, %v", document, err)
	}
}

// prints is a value in each way in which a program prints it.
func prints(t *testing.T, value any) map[string]string {
	t.Helper()
	printed := map[string]string{"Sprint": fmt.Sprint(value), "Sprintln": fmt.Sprintln(value)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%60v", "%-9.3s"} {
		printed[verb] = fmt.Sprintf(verb, value)
	}
	var logged, text, document bytes.Buffer
	log.New(&logged, "", 0).Print(value)
	slog.New(slog.NewTextHandler(&text, nil)).With("with", value).Info("made", "value", value)
	slog.New(slog.NewJSONHandler(&document, nil)).With("with", value).Info("made", "value", value)
	printed["log"], printed["slog's text"], printed["slog's JSON"] = logged.String(), text.String(), document.String()
	return printed
}

// shows reports whether a text has a secret in it, be it in hexadecimal or decimal bytes.
func shows(text string) bool {
	decimal := strings.Trim(fmt.Sprint([]byte("canary")), "[]")
	return strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) ||
		strings.Contains(text, decimal)
}
