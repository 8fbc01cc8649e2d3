package literllm

import "encoding/json"

// An Option sets something about a new client.
type Option func(*settings) error

type settings struct {
	config   []byte // nil: the environment
	provider string
	options  Options
	inline   int64
}

// WithConfig gives the configuration in place of the environment's.
func WithConfig(config Config) Option {
	return func(s *settings) (err error) {
		s.config, err = whole(&config)
		return err
	}
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
