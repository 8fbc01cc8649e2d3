package literllm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		BaseURL: "https://me:canary-password@api.example.com/v1",
		Headers: map[string]string{"x-team": "canary-header"},
		Query:   map[string]string{"code": "canary-query"},
	}
	config := Config{DefaultModel: "shown", Providers: map[string]Provider{"openai": provider}}
	values := map[string]any{
		"provider":    provider,
		"a pointer":   &provider,
		"config":      config,
		"its pointer": &config,
		"a list":      []Provider{provider},
		"a struct":    struct{ Config Config }{config},
		"an error":    fmt.Errorf("failed: %w", errors.New(fmt.Sprint(config))),
	}
	for name, value := range values {
		printed := map[string]string{"Sprint": fmt.Sprint(value), "Sprintln": fmt.Sprintln(value)}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%60v", "%-9.3s"} {
			printed[verb] = fmt.Sprintf(verb, value)
		}
		var logged bytes.Buffer
		log.New(&logged, "", 0).Print(value)
		printed["log"] = logged.String()
		for how, text := range printed {
			if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) {
				t.Errorf("%s by %s: %s", name, how, text)
			}
		}
		if text := printed["%+v"]; !strings.Contains(text, "openai") || !strings.Contains(text, "x-team") {
			t.Errorf("%s: not even what may be shown: %s", name, text)
		}
	}
	if text := fmt.Sprintf("%#v", provider); !strings.HasPrefix(text, `literllm.Provider{Kind:"openai"`) {
		t.Error(text)
	}
	handlers := map[string]func(io.Writer) slog.Handler{
		"text": func(out io.Writer) slog.Handler { return slog.NewTextHandler(out, nil) },
		"JSON": func(out io.Writer) slog.Handler { return slog.NewJSONHandler(out, nil) },
	}
	for how, handler := range handlers {
		for _, name := range []string{"provider", "a pointer", "config", "its pointer"} {
			var out bytes.Buffer
			slog.New(handler(&out)).With("with", values[name]).Info("made", "value", values[name])
			if text := out.String(); strings.Contains(text, "canary") || !strings.Contains(text, "x-team") {
				t.Errorf("%s by slog, %s: %s", name, how, text)
			}
		}
	}
	// The originals and the document keep what they have.
	document, err := json.Marshal(config)
	if err != nil || !strings.Contains(string(document), "sk-canary-key") {
		t.Errorf("%s, %v", document, err)
	}
	if provider.Headers["x-team"] != "canary-header" || provider.Query["code"] != "canary-query" {
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

// A client shows nothing of its configuration.
func TestClientPrintsNoKey(t *testing.T) {
	config := Config{Providers: map[string]Provider{"openai": {APIKey: "sk-canary-key"}}}
	client, err := NewClient(WithConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, client); strings.Contains(text, "canary") {
			t.Error(text)
		}
	}
}
