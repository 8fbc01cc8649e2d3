package literllm_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// bare clears what the environment says about providers.
func bare(t *testing.T) {
	for _, name := range []string{
		"LITER_LLM_CONFIG", "LITER_LLM_PROVIDER", "LITER_LLM_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL",
	} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
}

func asksWith(t *testing.T, model string, options ...literllm.Option) error {
	t.Helper()
	client, err := literllm.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Chat(background, &literllm.ChatRequest{Model: model, Prompt: "Hello"})
	return err
}

// echoing is the URL of a server that has no answers and tells what headers it was sent.
func echoing(t *testing.T) (url string, sent func() http.Header) {
	t.Helper()
	headers := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		http.Error(w, "{}", http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() http.Header { return <-headers }
}

// A key and a base URL are all that a client of one provider needs, wherever the provider is named.
func TestTheClientsOwnProvider(t *testing.T) {
	own := []literllm.Option{literllm.WithAPIKey("sk-own"), literllm.WithBaseURL(simulator + "/v1")}
	file := filepath.Join(t.TempDir(), "config.json")
	write(t, file, `{"default_provider": "openai"}`)
	for name, row := range map[string]struct {
		variable string
		options  []literllm.Option
	}{
		"WithProvider":     {"", []literllm.Option{literllm.WithProvider("openai")}},
		"WithOptions":      {"", []literllm.Option{literllm.WithOptions(literllm.Options{Provider: "openai"})}},
		"default_provider": {"", []literllm.Option{literllm.WithConfig(literllm.Config{DefaultProvider: "openai"})}},
		"default_model":    {"", []literllm.Option{literllm.WithConfigJSON([]byte(`{"default_model": "openai/m"}`))}},
		"the environment":  {"LITER_LLM_PROVIDER=openai", nil},
		"its model":        {"LITER_LLM_MODEL=openai/m", nil},
		"its document":     {`LITER_LLM_CONFIG={"default_provider": "openai"}`, nil},
		"its file":         {"LITER_LLM_CONFIG=" + file, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bare(t)
			if variable, value, found := strings.Cut(row.variable, "="); found {
				t.Setenv(variable, value)
			}
			model := "gpt-5-mini"
			if strings.HasSuffix(name, "model") {
				model = "" // another one would not be that provider's
			}
			if err := asksWith(t, model, row.options...); !errors.Is(err, literllm.ErrAuthentication) {
				t.Errorf("without a key: %v", err)
			}
			if err := asksWith(t, model, append(row.options, own...)...); err != nil {
				t.Error(err)
			}
		})
	}
}

// All else of a configuration stays as it was: other settings of the provider, numbers, unknown
// members, of which the engine tells.
func TestTheRestOfTheConfigurationStays(t *testing.T) {
	bare(t)
	config := free("")
	provider := config.Providers["openai"]
	provider.BaseURL = "http://127.0.0.1:1"
	provider.Headers = map[string]string{"x-stays": "stays"}
	config.Providers["openai"] = provider
	url, sent := echoing(t)
	client := open(t, config, literllm.WithBaseURL(url), literllm.WithHeaders(map[string]string{"x-added": "added"}))
	_, err := client.Chat(background, prompt("Hello"))
	if !errors.Is(err, literllm.ErrInvalidRequest) {
		t.Error(err)
	}
	headers := sent()
	equal(t, []string{headers.Get("x-stays"), headers.Get("x-added"), headers.Get("authorization")},
		[]string{"stays", "added", "Bearer sk-test"})
	_, err = literllm.NewClient(literllm.WithAPIKey("k"), literllm.WithConfigJSON([]byte(`{"default_provider": "openai", "max_in_flight": -1.0}`)))
	if err == nil || !strings.Contains(err.Error(), "max_in_flight") {
		t.Error(err)
	}
}

// Where the provider is unknown, the error says what to do. It never has the key.
func TestAKeyWithoutAProvider(t *testing.T) {
	bare(t)
	key, url := literllm.WithAPIKey("sk-canary"), literllm.WithBaseURL("http://canary.test")
	route := literllm.WithConfigJSON([]byte(`{"default_provider": "fast", "routes": {"fast": {"targets": ["openai/m"]}}}`))
	for expected, options := range map[string][]literllm.Option{
		`WithAPIKey: which provider it is for is not known. Name it, as in WithProvider("openai")`:                    {key},
		`WithAPIKey and WithBaseURL: which provider they are for is not known. Name it, as in WithProvider("openai")`: {url, key},
		`WithBaseURL: it is for one provider, and "fast" is a route. Name a provider, as in WithProvider("openai")`:   {route, url},
		"WithAPIKey: the key is empty. If it is that of an environment variable, the variable is not set. " +
			"Without WithAPIKey the client looks for OPENAI_API_KEY and its like": {literllm.WithAPIKey("")},
		"WithBaseURL: the URL is empty. Leave WithBaseURL out to take the provider's own":        {literllm.WithBaseURL("")},
		`WithTimeout: the time is 30ns. Give at least 1 ms, with its unit, as in 30*time.Second`: {literllm.WithTimeout(30)},
		`WithTimeout: the time is 0s. Give at least 1 ms, with its unit, as in 30*time.Second`:   {literllm.WithTimeout(0)},
		`the logger is nil: leave WithLogger out, or pass slog.Default()`:                        {literllm.WithLogger(nil)},
	} {
		client, err := literllm.NewClient(options...)
		if client != nil || !errors.Is(err, literllm.ErrInvalidRequest) || err.Error() != expected {
			t.Errorf("%v\nis not\n%s", err, expected)
		}
	}
	for _, document := range []string{`[]`, `null`, `{`, `{"providers": []}`, `{"providers": {"openai": "canary"}}`} {
		_, plain := literllm.NewClient(literllm.WithConfigJSON([]byte(document)))
		_, err := literllm.NewClient(literllm.WithConfigJSON([]byte(document)), literllm.WithProvider("openai"), key)
		if plain == nil || err == nil || err.Error() != plain.Error() {
			t.Errorf("%s: %v is not the engine's %v", document, err, plain)
		}
	}
	t.Setenv("LITER_LLM_CONFIG", "/nowhere/config.json")
	if _, err := literllm.NewClient(literllm.WithProvider("openai"), key); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Error(err)
	}
}

// A time and headers of the client win over those of its options, in whatever order they are given.
func TestTimeAndHeadersOfTheClient(t *testing.T) {
	options := literllm.WithOptions(literllm.Options{
		Timeout: time.Hour, Headers: map[string]string{"x-one": "old", "x-two": "two"},
	})
	headers := map[string]string{"x-one": "one"}
	early := []literllm.Option{literllm.WithTimeout(30 * time.Millisecond), literllm.WithHeaders(headers), options}
	late := []literllm.Option{options, early[1], early[0]}
	headers["x-one"] = "changed later"
	for _, order := range [][]literllm.Option{early, late} {
		client := open(t, free("delay_ms=30000"), order...)
		if _, err := client.Chat(background, prompt("Hello")); !errors.Is(err, literllm.ErrTimeout) {
			t.Error(err)
		}
		url, sent := echoing(t)
		client = open(t, free(""), append(order, literllm.WithTimeout(time.Minute), literllm.WithBaseURL(url))...)
		if _, err := client.Chat(background, prompt("Hello")); !errors.Is(err, literllm.ErrInvalidRequest) {
			t.Error(err)
		}
		headers := sent()
		equal(t, []string{headers.Get("x-one"), headers.Get("x-two")}, []string{"one", "two"})
	}
}

// A gateway's token is among the headers that are given beside a key. A fallback's provider must see
// neither. Headers without a key or a URL are options, and go to every provider.
func TestHeadersBesideAKeyGoToItsProviderAlone(t *testing.T) {
	bare(t)
	refusing := func() (string, func() []string) {
		seen := make(chan http.Header, 10)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen <- r.Header
			http.Error(w, "{}", http.StatusServiceUnavailable)
		}))
		t.Cleanup(server.Close)
		return server.URL, func() (values []string) {
			select {
			case headers := <-seen:
				for _, name := range []string{"authorization", "x-gateway", "x-stays", "x-option"} {
					values = append(values, headers.Get(name))
				}
			default:
			}
			return values
		}
	}
	own, ownSaw := refusing()
	other, otherSaw := refusing()
	config := literllm.Config{Providers: map[string]literllm.Provider{
		"own":   {Kind: "openai", BaseURL: own, APIKey: "k0", Headers: map[string]string{"X-Gateway": "old", "x-stays": "stays"}},
		"other": {Kind: "openai", BaseURL: other, APIKey: "k2"},
	}}
	shared := []literllm.Option{
		literllm.WithProvider("own"), literllm.WithHeaders(map[string]string{"x-gateway": "token"}),
		literllm.WithOptions(literllm.Options{
			Fallback: []string{"other/m"}, Retry: &literllm.Retry{Off: true},
			Headers: map[string]string{"x-option": "option", "X-GATEWAY": "loses"},
		}),
	}
	request := &literllm.ChatRequest{Model: "m", Prompt: "Hello"}
	for _, row := range []struct {
		options    []literllm.Option
		own, other []string
	}{
		{[]literllm.Option{literllm.WithAPIKey("k1"), literllm.WithBaseURL(own)},
			[]string{"Bearer k1", "token", "stays", "option"}, []string{"Bearer k2", "", "", "option"}},
		{[]literllm.Option{literllm.WithBaseURL(own)},
			[]string{"Bearer k0", "token", "stays", "option"}, []string{"Bearer k2", "", "", "option"}},
		{nil, []string{"Bearer k0", "token", "stays", "option"}, []string{"Bearer k2", "token", "", "option"}},
	} {
		client := open(t, config, append(row.options, shared...)...)
		if _, err := client.Chat(background, request); !errors.Is(err, literllm.ErrUnavailable) {
			t.Error(err)
		}
		equal(t, ownSaw(), row.own)
		equal(t, otherSaw(), row.other)
	}
}
