// Package literotel gives the calls of liter-llm to OpenTelemetry: a span for each call, and meters.
//
//	client, err := literllm.NewClient(literllm.WithObserver(literotel.New(literotel.Config{})))
//
// It is a module of its own, so that the client does not depend on OpenTelemetry. The names are those
// of the GenAI conventions; semconv.json has them, and is the same in every language.
package literotel

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	literllm "github.com/liter-llm/liter-llm/go"
)

// Values of [Config.AttemptSpans].
const (
	// Auto gives the attempts of a call spans of their own where there were several.
	Auto   = ""
	Always = "always"
	Never  = "never"
)

// A Config says where spans and measurements go. The zero value is the process's own OpenTelemetry.
type Config struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	AttemptSpans   string
}

// parsed is the longest request that is parsed for a span's name at its begin. The end has the right
// one.
const parsed = 1 << 20

// New makes an observer for [literllm.WithObserver].
func New(config Config) literllm.Observer {
	if config.TracerProvider == nil {
		config.TracerProvider = otel.GetTracerProvider()
	}
	if config.MeterProvider == nil {
		config.MeterProvider = otel.GetMeterProvider()
	}
	return &observer{
		tracer: config.TracerProvider.Tracer(table.Scope), attempts: config.AttemptSpans,
		meters: newMeters(config.MeterProvider.Meter(table.Scope)),
	}
}

type observer struct {
	tracer   trace.Tracer
	meters   []meter
	attempts string
}

// Begin starts the span of a call, as a child of the context's.
func (o *observer) Begin(ctx context.Context, request []byte) literllm.Observation {
	first := atFirst(request)
	ctx, span := o.tracer.Start(ctx, spanName(first),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(first...))
	seen := &observation{observer: o, ctx: ctx, span: span}
	if own := span.SpanContext(); own.IsValid() {
		seen.sends.Traceparent = "00-" + own.TraceID().String() + "-" + own.SpanID().String() + "-" +
			own.TraceFlags().String()
		seen.sends.Tracestate = own.TraceState().String()
	}
	seen.sends.Telemetry = span.IsRecording() || o.measures(ctx)
	if seen.sends == (literllm.Tracing{}) {
		return nil
	}
	return seen
}

func (o *observer) measures(ctx context.Context) bool {
	return len(o.meters) > 0 && o.meters[0].enabled(ctx)
}

type observation struct {
	*observer
	ctx   context.Context
	span  trace.Span
	sends literllm.Tracing
	ended atomic.Bool
}

func (o *observation) Sends() literllm.Tracing { return o.sends }

// End sets what is known now, and ends the span when the call ended.
func (o *observation) End(document string, err error) {
	if o.ended.Swap(true) {
		return
	}
	var end []trace.SpanEndOption
	defer func() { o.span.End(end...) }() // also where something here panics
	facts, attempts := factsOf(document, err)
	found := attributes(table.Attributes, facts)
	o.measure(facts, found)
	if !o.span.IsRecording() {
		return
	}
	trace_, _ := facts["trace"].(map[string]any)
	if trace_ != nil {
		end = append(end, trace.WithTimestamp(at(trace_, trace_["total_ms"])))
		o.span.SetName(spanName(found))
	}
	o.span.SetAttributes(found...)
	if err != nil {
		o.span.SetStatus(codes.Error, "")
	}
	times, _ := trace_["attempts"].([]any)
	if len(times) > 0 && (o.attempts == Always || o.attempts == Auto && len(times) > 1) {
		o.children(trace_, times, attempts)
	}
}

// children writes a span for each attempt.
func (o *observation) children(began map[string]any, times, attempts []any) {
	for i := range min(len(times), len(attempts)) {
		own, _ := times[i].(map[string]any)
		found := attributes(table.Attempt, map[string]any{"times": own, "attempt": attempts[i]})
		found = append(found, attribute.String("http.request.method", "POST"))
		if i > 0 {
			found = append(found, attribute.Int("http.request.resend_count", i))
		}
		_, child := o.tracer.Start(o.ctx, "POST", trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(found...), trace.WithTimestamp(at(began, own["start_ms"])))
		for _, one := range found {
			if one.Key == "error.type" {
				child.SetStatus(codes.Error, "")
			}
		}
		child.End(trace.WithTimestamp(at(began, own["end_ms"])))
	}
}

// factsOf is what there is of a call, and the attempts of its document.
func factsOf(document string, err error) (facts map[string]any, attempts []any) {
	facts = map[string]any{}
	whole := decode([]byte(document))
	if results, ok := whole["results"].([]any); ok && whole["failures"] != nil && len(results) > 0 {
		whole, _ = results[0].(map[string]any) // of a fan-out
	}
	var owner map[string]any
	if inner, ok := whole["error"].(map[string]any); ok {
		facts["error"], owner = inner, inner
	} else if err != nil {
		facts["error"] = map[string]any{"kind": kindOf(err)}
	} else if whole != nil {
		owner, _ = whole["liter"].(map[string]any)
		facts["answer"] = whole
	}
	if own, ok := owner["trace"].(map[string]any); ok {
		facts["trace"] = own
	}
	attempts, _ = owner["attempts"].([]any)
	return facts, attempts
}

// at is a time of the call, from milliseconds since its begin.
func at(began map[string]any, ms any) time.Time {
	start, _ := began["start_unix_ns"].(json.Number)
	ns, _ := start.Int64()
	since, _ := ms.(json.Number)
	passed, _ := since.Float64()
	return time.Unix(0, ns+int64(passed*1e6))
}

func spanName(found []attribute.KeyValue) string {
	operation, model := "chat", ""
	for _, one := range found {
		switch one.Key {
		case "gen_ai.operation.name":
			operation = one.Value.AsString()
		case "gen_ai.request.model":
			model = one.Value.AsString()
		}
	}
	return strings.TrimSpace(operation + " " + model)
}

// atFirst is what samplers see of a call that begins: what its request says.
func atFirst(request []byte) []attribute.KeyValue {
	var document map[string]any
	if len(request) <= parsed {
		document = decode(request)
	}
	operation, _ := document["op"].(string)
	if operation == "" {
		operation = "chat"
	}
	found := []attribute.KeyValue{attribute.String("gen_ai.operation.name", named(table.Operations, operation))}
	model, _ := document["model"].(string)
	if provider, rest, ok := strings.Cut(model, "/"); ok {
		found = append(found, attribute.String("gen_ai.provider.name", named(table.Providers, provider)))
		model = rest
	}
	if model != "" {
		found = append(found, attribute.String("gen_ai.request.model", model))
	}
	return found
}
