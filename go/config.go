package literllm

import (
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"strings"
	"time"
)

// An Option sets something about a new client.
type Option func(*settings) error

type settings struct {
	config   []byte // nil: the environment
	provider string
	options  Options
	inline   int64
	logger   *slog.Logger
	observer Observer
	// What is set beside options and configuration, whose order is the caller's.
	apiKey, baseURL string
	timeout         time.Duration
	headers         map[string]string
}

// settingsOf applies the options of a new client.
func settingsOf(options []Option) (made settings, err error) {
	made.inline = 4
	for _, option := range options {
		if option == nil {
			return made, newError(ErrInvalidRequest, "an option of the client is nil: leave it out")
		}
		if err := option(&made); err != nil {
			return made, err
		}
	}
	if made.provider != "" {
		made.options.Provider = made.provider
	}
	if made.timeout != 0 {
		made.options.Timeout = made.timeout
	}
	made.headersFor()
	return made, nil
}

// headersFor leaves the headers of WithHeaders to the client's own provider, where its key or URL is
// given too: they may have what only that server may see, and options go to every provider. Without
// the two they are options. They win over those of WithOptions in either place.
func (s *settings) headersFor() {
	if s.headers == nil {
		return
	}
	options := map[string]string{}
	if s.apiKey == "" && s.baseURL == "" {
		options, s.headers = maps.Clone(s.headers), nil
		addHeaders(options, s.options.Headers)
	} else {
		addHeaders(options, s.options.Headers)
		maps.DeleteFunc(options, func(name, _ string) bool { return hasHeader(s.headers, name) })
	}
	s.options.Headers = options
}

// addHeaders adds those whose names are not there yet.
func addHeaders[T any](headers, further map[string]T) {
	for name, value := range further {
		if !hasHeader(headers, name) {
			headers[name] = value
		}
	}
}

// hasHeader looks for a name, which has no case.
func hasHeader[T any](headers map[string]T, name string) bool {
	for each := range headers {
		if strings.EqualFold(each, name) {
			return true
		}
	}
	return false
}

// WithConfig gives the configuration in place of the environment's.
func WithConfig(config Config) Option {
	return func(s *settings) (err error) {
		s.config, err = whole(&config)
		return err
	}
}

// environment is the process's environment. It is Go's copy, which Go reads under a lock of its own.
// The engine must not read the environment itself, because C's getenv may crash beside an os.Setenv
// of another goroutine, which calls C's setenv.
func environment() map[string]string {
	variables := map[string]string{}
	for _, variable := range os.Environ() {
		if name, value, found := strings.Cut(variable, "="); found && name != "" {
			variables[name] = value
		}
	}
	return variables
}

// WithConfigJSON gives the configuration as a JSON document.
func WithConfigJSON(document []byte) Option {
	return func(s *settings) error {
		s.config = append(json.RawMessage{}, document...)
		return nil
	}
}

// WithProvider gives the provider of requests that name none: a name of the configuration.
func WithProvider(name string) Option {
	return func(s *settings) error {
		s.provider = name
		return nil
	}
}

// WithAPIKey gives the key of the client's own provider: the one of [WithProvider] or [WithOptions],
// else the default of the configuration or of the environment. Without such a provider it is an
// error. A key in the environment needs no option: OPENAI_API_KEY.
func WithAPIKey(key string) Option {
	return func(s *settings) error {
		if key == "" {
			return newError(ErrInvalidRequest, "WithAPIKey: the key is empty. If it is that of an environment "+
				"variable, the variable is not set. Without WithAPIKey the client looks for OPENAI_API_KEY and its like")
		}
		s.apiKey = key
		return nil
	}
}

// WithBaseURL gives the URL of the client's own provider, with the version path:
// "https://llm.example.com/v1". Which provider that is, [WithAPIKey] says.
func WithBaseURL(url string) Option {
	return func(s *settings) error {
		if url == "" {
			return newError(ErrInvalidRequest,
				"WithBaseURL: the URL is empty. Leave WithBaseURL out to take the provider's own")
		}
		s.baseURL = url
		return nil
	}
}

// WithTimeout gives the time for each call, over that of [WithOptions]. A context's deadline does the
// same for one call; the earlier one counts.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) error {
		if timeout < time.Millisecond {
			return newError(ErrInvalidRequest, "WithTimeout: the time is %s. "+
				"Give at least 1 ms, with its unit, as in 30*time.Second", timeout)
		}
		s.timeout = timeout
		return nil
	}
}

// WithHeaders gives headers of every request, over those of [WithOptions]. A key is given by
// [WithAPIKey].
//
// Beside [WithAPIKey] or [WithBaseURL] they are headers of that one provider. No other gets them, also
// none of a fallback. Those of [WithOptions] go to each provider that a request asks.
func WithHeaders(headers map[string]string) Option {
	own := maps.Clone(headers) // the caller may change theirs
	return func(s *settings) error {
		s.headers = own
		return nil
	}
}

// WithLogger hands the client's log records to a logger: the record's event as the message, its
// members as attributes (docs/logs.md). A call that ended is at info, a failed one at error, what it
// met at warn, its attempts at debug. Each warning of an answer comes once, at warn. No record has a
// key, and none above debug has a prompt.
//
// The logger is asked each second which levels it wants, and others are not made. It runs on a
// goroutine of its own, so that no call waits for it; if 10,000 records wait, the oldest are dropped,
// and a record says how many. A handler that panics loses the record, and stderr says so. The client's
// Close waits at most 2 s for the last records.
//
// LITER_LLM_LOG=debug (error, warn, info, debug) writes to stderr without this option, and beside it.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		if logger == nil {
			return newError(ErrInvalidRequest, "the logger is nil: leave WithLogger out, or pass slog.Default()")
		}
		s.logger = logger
		return nil
	}
}

// WithOptions gives the options of every request. The options of a request win, member by member.
func WithOptions(options Options) Option {
	return func(s *settings) error {
		s.options = options
		return nil
	}
}

// WithInlineCalls sets the number of requests in flight in this process up to which a request runs
// on the waiting goroutine's thread (default 4; 0: never). That is the cheapest way for few
// requests, but each of them keeps a thread while it runs.
func WithInlineCalls(most int) Option {
	return func(s *settings) error {
		s.inline = int64(most)
		return nil
	}
}
