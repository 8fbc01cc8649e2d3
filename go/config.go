package literllm

import "encoding/json"

// A Config is a client's configuration. Zero values are left out.
type Config struct {
	// Providers by name: a built-in one to change, or one to add.
	Providers map[string]Provider `json:"providers,omitempty"`
	// Routes are named lists of targets, given in place of a provider's name.
	Routes map[string]Route `json:"routes,omitempty"`
	// DefaultProvider and DefaultModel are those of requests that name none.
	DefaultProvider string `json:"default_provider,omitempty"`
	DefaultModel    string `json:"default_model,omitempty"`
	// MaxInFlight is the most requests in flight; one more is refused.
	MaxInFlight int `json:"max_in_flight,omitempty"`
	// Retry and Hedge are those of calls that say nothing else.
	Retry *Retry `json:"retry,omitempty"`
	Hedge *Hedge `json:"hedge,omitempty"`
	// RetryBudget bounds retries and fallbacks.
	RetryBudget *RetryBudget `json:"retry_budget,omitempty"`
	// Breaker says whether targets that keep failing are passed over (nil too).
	Breaker *bool `json:"breaker,omitempty"`
	// Limit says whether calls wait for limits.
	Limit *Limit `json:"limit,omitempty"`
	// LearnLimits says whether what an answer tells of quotas and pauses binds the calls after it (nil
	// too).
	LearnLimits *bool `json:"learn_limits,omitempty"`
}

// A Provider has one provider's settings.
type Provider struct {
	// Kind is a built-in provider whose wire format this one speaks; "": the one of its own name.
	Kind string `json:"kind,omitempty"`
	// BaseURL is where it is, with the version path. Its key goes to this origin only.
	BaseURL string `json:"base_url,omitempty"`
	// APIKey is "env:NAME", "file:/path", or the key itself.
	APIKey string `json:"api_key,omitempty"`
	// Model is that of requests that name none.
	Model string `json:"model,omitempty"`
	// Headers are added to each request.
	Headers map[string]string `json:"headers,omitempty"`
	// Timeouts are the five timers.
	Timeouts *Timeouts `json:"timeouts,omitempty"`
	// APIVersion is the version header's value (Anthropic).
	APIVersion string `json:"api_version,omitempty"`
	// CAFile is a PEM file with further trusted roots.
	CAFile string `json:"ca_file,omitempty"`
	// HTTP is "auto", "1.1" or "2".
	HTTP string `json:"http,omitempty"`
	// Region is where it is, in the words of Options.Region.
	Region string `json:"region,omitempty"`
	// Limits are those of all its models together.
	Limits *Limits `json:"limits,omitempty"`
	// Models have what is peculiar to single models.
	Models map[string]Model `json:"models,omitempty"`
	// IdempotencyHeader makes a repeated request count once, where the server has such a header.
	IdempotencyHeader string `json:"idempotency_header,omitempty"`
	// HealthProbe asks from time to time whether the provider is back, once it failed.
	HealthProbe *HealthProbe `json:"health_probe,omitempty"`
}

// Timeouts are in milliseconds.
type Timeouts struct {
	// ConnectMS: name look-up, TCP and TLS.
	ConnectMS int `json:"connect_ms,omitempty"`
	// HeadersMS: from sending the request to the response's headers.
	HeadersMS int `json:"headers_ms,omitempty"`
	// FirstTokenMS: from sending the request to a stream's first content.
	FirstTokenMS int `json:"first_token_ms,omitempty"`
	// IdleMS: the longest silence inside a body.
	IdleMS int `json:"idle_ms,omitempty"`
	// TotalMS: the whole call.
	TotalMS int `json:"total_ms,omitempty"`
}

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
		s.config, err = marshal("the configuration", config)
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

// WithOptions gives the options of every request; those of a request win, member by member.
func WithOptions(options Options) Option {
	return func(s *settings) error {
		s.options = options
		return nil
	}
}

// WithInlineCalls says up to how many requests in flight in this process a request runs on the thread of
// the goroutine that waits for it (default 4; 0: never). That is the cheapest way for few requests,
// but each of them keeps a thread while it runs.
func WithInlineCalls(most int) Option {
	return func(s *settings) error {
		s.inline = int64(most)
		return nil
	}
}
