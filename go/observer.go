package literllm

import (
	"context"
	"strings"
)

// An Observer sees the calls of a client that ask a provider, as a tracer does. The module
// github.com/liter-llm/liter-llm/go/otel has one for OpenTelemetry. Where it panics, the call goes on.
type Observer interface {
	// Begin is told of a call right before it is sent. The request document is valid until Begin
	// returns. Nil: nobody looks at this call.
	Begin(ctx context.Context, request []byte) Observation
}

// An Observation is one call that an observer looks at.
type Observation interface {
	// Sends is what the call sends for the observer. What the caller says himself wins.
	Sends() Tracing
	// End is told of the call's end, once. document is the answer, or the error document, if one
	// came. err is the call's error.
	End(document string, err error)
}

// Tracing are the options of a call that an observer sets.
type Tracing struct {
	// Traceparent and Tracestate are the W3C trace context that goes to providers.
	Traceparent, Tracestate string
	// Telemetry asks for the member "trace" of the last document.
	Telemetry bool
}

// WithObserver gives a client's calls to an observer. It is called by the goroutines of the calls.
func WithObserver(observer Observer) Option {
	return func(s *settings) error {
		if observer == nil {
			return newError(ErrInvalidRequest, "the observer is nil: leave WithObserver out")
		}
		s.observer = observer
		return nil
	}
}

// begin tells the observer of a call, if there is one, and returns the call's options with what it
// sends.
func (c *Client) begin(ctx context.Context, request []byte, own *Options) (Observation, *Options) {
	if c.observer == nil {
		return nil, own
	}
	var seen Observation
	var sends Tracing
	quietly(func() {
		if seen = c.observer.Begin(ctx, request); seen != nil {
			sends = seen.Sends()
		}
	})
	if seen == nil {
		return nil, own
	}
	var options Options
	if own != nil {
		options = *own
	}
	inside := string(optionsInside(request))
	said := options.Traceparent != "" || c.defaults.Traceparent != "" ||
		strings.Contains(inside, `"traceparent"`) || options.Extra["traceparent"] != nil
	if !said && sends.Traceparent != "" {
		options.Traceparent, options.Tracestate = sends.Traceparent, sends.Tracestate
	}
	if options.Telemetry == nil && sends.Telemetry {
		options.Telemetry = &sends.Telemetry
	}
	return seen, &options
}

// ends tells an observation of its call's end.
func ends(seen Observation, document string, err error) {
	quietly(func() { seen.End(document, err) })
}

// quietly runs a function of an observer. Nothing of it fails the call.
func quietly(run func()) {
	defer func() { _ = recover() }()
	run()
}
