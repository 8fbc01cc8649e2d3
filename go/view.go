package literllm

import (
	"encoding/json"
	"maps"
	"reflect"
)

// WithOptions is a view of the client with further options of every request, which win over those that
// it has, member by member. It shares connections, limits and loggers. Closing one of the two closes
// both.
func (c *Client) WithOptions(options Options) (*Client, error) {
	if c == nil || c.native == nil {
		return nil, errNoClient()
	}
	view := *c
	view.defaults = over(c.defaults, options)
	var err error
	if view.plain, err = view.merge("", nil, 0); err != nil {
		return nil, err
	}
	return &view, nil
}

// over are options with others over them. A field that has its zero value is not given.
func over(before, options Options) Options {
	extra := maps.Clone(before.Extra)
	for name, value := range options.Extra {
		if extra == nil {
			extra = map[string]any{}
		}
		extra[name] = value
	}
	to, from := reflect.ValueOf(&before).Elem(), reflect.ValueOf(options)
	for i := range from.NumField() {
		if !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	before.Extra = extra
	return before
}

// Closed reports whether Close or CloseWithin was called.
func (c *Client) Closed() bool { return c != nil && c.native != nil && c.native.Ended.Load() }

// Counters are what a client has counted so far, as [Client.Counters] reads it.
type Counters struct {
	// InFlight is the number of calls in flight.
	InFlight int `json:"in_flight"`
	// Providers are those that were called, by name.
	Providers map[string]ProviderCounters `json:"providers"`
	// Targets are those that were asked.
	Targets []TargetCounters `json:"targets"`
	// Cache is what the cache had for calls, and what it holds; nil: the client has none.
	Cache *CacheCounters `json:"cache,omitempty"`
	// Redis is that of a configured Redis; nil: there is none.
	Redis *RedisCounters `json:"redis,omitempty"`
}

// CacheCounters are what a cache had for calls, and what it holds.
type CacheCounters struct {
	// Bytes are what stored answers count for, and Entries is their number.
	Bytes   int64 `json:"bytes"`
	Entries int64 `json:"entries"`
	// Hit counts stored answers, Miss none, Stale expired ones, Joined those of another call on its way,
	// and Bypass calls that are not cached.
	Hit    int64 `json:"hit"`
	Miss   int64 `json:"miss"`
	Stale  int64 `json:"stale"`
	Joined int64 `json:"joined"`
	Bypass int64 `json:"bypass"`
}

// RedisCounters are those of the Redis that several processes share.
type RedisCounters struct {
	// Up tells whether there is a connection that is used.
	Up bool `json:"up"`
}

// ProviderCounters are the calls of a provider that ended.
type ProviderCounters struct {
	Calls int64 `json:"calls"`
	// Errors are the failed ones of them, by kind.
	Errors map[Kind]int64 `json:"errors"`
}

// TargetCounters are the attempts at a target.
type TargetCounters struct {
	// Target is "provider/model".
	Target string `json:"target"`
	// Breaker is "closed" (it is asked), "open" (it is passed over) or "half_open" (one attempt finds out).
	Breaker  string `json:"breaker"`
	InFlight int    `json:"in_flight"`
	Attempts int64  `json:"attempts"`
	Failures int64  `json:"failures"`
	// Probes are health probes; nil: there are none.
	Probes *Probes `json:"probes,omitempty"`
	// CoolingMS are the milliseconds that are left of a pause that the provider asked for.
	CoolingMS *float64 `json:"cooling_ms,omitempty"`
	// P95TTFTMS is the 95th percentile of the time to a stream's first content, in milliseconds.
	P95TTFTMS *float64 `json:"p95_ttft_ms,omitempty"`
	// P95MS is the same of whole answers.
	P95MS *float64 `json:"p95_ms,omitempty"`
}

// Probes are the health probes of a target.
type Probes struct {
	Asked int64 `json:"asked"`
	// Well are those that were answered well.
	Well int64 `json:"well"`
}

// Counters are the counters so far. [Client.Metrics] gives them as a document.
func (c *Client) Counters() (*Counters, error) {
	document, err := c.Metrics(MetricsJSON)
	if err != nil {
		return nil, err
	}
	counters := &Counters{}
	if err := json.Unmarshal([]byte(document), counters); err != nil {
		return nil, newError(ErrInternal, "the engine's counters cannot be read: %v", err)
	}
	return counters, nil
}
