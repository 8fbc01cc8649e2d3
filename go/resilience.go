package literllm

// What the configuration and the options of a request say about attempts, targets and limits.

// Retry says how a failed attempt is repeated. What is left out is 3 attempts, 250 ms, 8 s and 60 s.
type Retry struct {
	// Off: one attempt. The other fields do not count then.
	Off bool `json:"-"`
	// MaxAttempts are the most attempts at one target; each further target adds one.
	MaxAttempts int `json:"max_attempts,omitempty"`
	// BaseMS is the upper bound of the first random wait; it doubles with each attempt, up to CapMS.
	BaseMS *int `json:"base_ms,omitempty"`
	CapMS  *int `json:"cap_ms,omitempty"`
	// MaxWaitMS is the longest wait that a provider may ask for.
	MaxWaitMS *int `json:"max_wait_ms,omitempty"`
}

// MarshalJSON writes an object, or false.
func (r Retry) MarshalJSON() ([]byte, error) {
	type on Retry
	return orFalse(r.Off, "retry", on(r))
}

// Hedge says when further attempts start beside a slow first one.
type Hedge struct {
	// Off: never. The other fields do not count then.
	Off bool `json:"-"`
	// AfterMS is when the next one starts.
	AfterMS int `json:"after_ms"`
	// P95, in place of AfterMS: after the 95th percentile of the target's last calls.
	P95 bool `json:"-"`
	// Max are the most of them; 0 is 1.
	Max int `json:"max,omitempty"`
}

// MarshalJSON writes an object, or false.
func (h Hedge) MarshalJSON() ([]byte, error) {
	if h.P95 {
		return orFalse(h.Off, "hedge", struct {
			After string `json:"after_ms"`
			Max   int    `json:"max,omitempty"`
		}{"p95", h.Max})
	}
	type on Hedge
	return orFalse(h.Off, "hedge", on(h))
}

// RetryBudget says how many retries and fallbacks there may be, for each provider that calls are for.
type RetryBudget struct {
	// Off: any number. The other fields do not count then.
	Off bool `json:"-"`
	// Percent of the calls (20), and PerSecond (10) beside.
	Percent   *int `json:"percent,omitempty"`
	PerSecond *int `json:"per_second,omitempty"`
}

// MarshalJSON writes an object, or false.
func (b RetryBudget) MarshalJSON() ([]byte, error) {
	type on RetryBudget
	return orFalse(b.Off, "retry_budget", on(b))
}

func orFalse(off bool, name string, value any) ([]byte, error) {
	if off {
		return []byte("false"), nil
	}
	return marshal(name, value)
}

// Fanout asks several targets at once; see [Client.GenerateMulti].
type Fanout struct {
	// Targets are "provider/model", or the name of a provider or a route; 32 at most.
	Targets []string `json:"targets"`
	// First is how many answers are waited for; 0 is 1. The other calls are cancelled.
	First int `json:"first,omitempty"`
}

// Limit says what a call does where a limit leaves no room.
type Limit struct {
	// Wait: it waits (nil too), or fails at once.
	Wait *bool `json:"wait,omitempty"`
}

// Limits are those that calls wait for; 0 is none.
type Limits struct {
	RequestsPerMinute int `json:"requests_per_minute,omitempty"`
	// TokensPerMinute are those asked and answered.
	TokensPerMinute int `json:"tokens_per_minute,omitempty"`
	MaxInFlight     int `json:"max_in_flight,omitempty"`
}

// A Model has what is peculiar to one model of a provider.
type Model struct {
	Limits *Limits `json:"limits,omitempty"`
}

// A HealthProbe asks a provider that failed whether it is back.
type HealthProbe struct {
	// IntervalMS is the time between two questions; 0 is 10,000.
	IntervalMS int `json:"interval_ms,omitempty"`
}

// A Route is a list of targets, whose name is given in place of a provider's or a model's.
type Route struct {
	// Policy says which target comes first: "priority" ("" too), "weighted", "latency" or
	// "least_in_flight".
	Policy string `json:"policy,omitempty"`
	// Targets, in order.
	Targets []Target `json:"targets"`
	// Retry and Hedge are those of calls through this route.
	Retry *Retry `json:"retry,omitempty"`
	Hedge *Hedge `json:"hedge,omitempty"`
}

// A Target is one of a route's.
type Target struct {
	// Target is "provider/model", or a provider's name.
	Target string `json:"target"`
	// Region is where it is; "": its provider's region.
	Region string `json:"region,omitempty"`
	// Weight is its share under "weighted"; nil is 1; 0: only when the others fail.
	Weight *int `json:"weight,omitempty"`
	// Parameters are what is different in requests to it.
	Parameters *Parameters `json:"parameters,omitempty"`
}

// Parameters are members of a request that a target sets.
type Parameters struct {
	MaxTokens       int                       `json:"max_tokens,omitempty"`
	Temperature     *float64                  `json:"temperature,omitempty"`
	TopP            *float64                  `json:"top_p,omitempty"`
	Seed            *int64                    `json:"seed,omitempty"`
	Reasoning       *Reasoning                `json:"reasoning,omitempty"`
	ReasoningEffort string                    `json:"reasoning_effort,omitempty"`
	Extra           map[string]map[string]any `json:"extra,omitempty"`
}
