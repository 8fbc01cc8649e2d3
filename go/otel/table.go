package literotel

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A row says where an attribute, or a measurement, is found in the facts of a call, and how it is
// written.
type row struct{ Name, From, As, Unit, Kind string }

//go:embed semconv.json
var semconv []byte

// table is that of all languages; scripts/semconv.py copies it.
var table = func() (t struct {
	Scope                        string
	Operations, Providers        map[string]string
	Attributes, Attempt, Metrics []row
	MetricLabels                 []string `json:"metric_labels"`
	Seconds                      []float64
}) {
	if err := json.Unmarshal(semconv, &t); err != nil {
		panic(err) // the file is a part of this package
	}
	return t
}()

func decode(document []byte) (members map[string]any) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if decoder.Decode(&members) != nil {
		return nil
	}
	return members
}

// attributes are what the rows find in the facts of a call.
func attributes(rows []row, facts map[string]any) (found []attribute.KeyValue) {
	for _, one := range rows {
		if value := written(one.As, look(facts, one.From)); value.Type() != attribute.INVALID {
			found = append(found, attribute.KeyValue{Key: attribute.Key(one.Name), Value: value})
		}
	}
	return found
}

func look(facts map[string]any, path string) any {
	var value any = facts
	for name := range strings.SplitSeq(path, ".") {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

func named(names map[string]string, name string) string {
	if other, ok := names[name]; ok {
		return other
	}
	return name
}

// written is a value as the table says. The zero value is none.
func written(as string, value any) (none attribute.Value) {
	switch value := value.(type) {
	case nil:
		return none
	case bool:
		return attribute.BoolValue(value)
	case json.Number:
		return number(as, value)
	case string:
		return text(as, value)
	case []any:
		return list(as, value)
	case map[string]any:
		if as == "provider" {
			kind, _ := value["kind"].(string)
			provider, _ := value["provider"].(string)
			if other, ok := table.Providers[kind]; ok {
				provider = other
			}
			return attribute.StringValue(provider)
		}
	}
	return none
}

func number(as string, value json.Number) (none attribute.Value) {
	exact, err := value.Int64()
	float, _ := value.Float64()
	switch {
	case as == "seconds":
		return attribute.Float64Value(float / 1000)
	case as == "number":
		return attribute.Float64Value(float)
	case as == "not_one" && exact == 1:
		return none
	case err == nil:
		return attribute.Int64Value(exact)
	}
	return attribute.Float64Value(float)
}

func text(as, value string) (none attribute.Value) {
	colon := strings.LastIndexByte(value, ':')
	switch as {
	case "operation":
		return attribute.StringValue(named(table.Operations, value))
	case "number":
		if float, err := strconv.ParseFloat(value, 64); err == nil {
			return attribute.Float64Value(float)
		}
		return none
	case "host":
		if host := strings.Trim(value[:max(colon, 0)], "[]"); host != "" {
			return attribute.StringValue(host)
		}
		return none
	case "port":
		if port, err := strconv.Atoi(value[colon+1:]); err == nil {
			return attribute.IntValue(port)
		}
		return none
	}
	return attribute.StringValue(value)
}

func list(as string, value []any) (none attribute.Value) {
	if as == "count" {
		return attribute.IntValue(len(value))
	}
	texts := make([]string, 0, len(value))
	for _, one := range value {
		own, _ := one.(string)
		if as == "finish_reasons" {
			choice, _ := one.(map[string]any)
			if own, _ = choice["finish_reason"].(string); own == "" {
				own = "error"
			}
		}
		texts = append(texts, own)
	}
	if len(texts) == 0 {
		return none
	}
	return attribute.StringSliceValue(texts)
}

// kindOf is the kind of an error without a document.
func kindOf(err error) string {
	var failure *literllm.Error
	switch {
	case errors.As(err, &failure):
		return string(failure.Kind)
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "internal"
}

// A meter is one measurement of a call.
type meter struct {
	row
	enabled func(context.Context) bool
	record  func(context.Context, attribute.Value, metric.MeasurementOption)
}

func newMeters(from metric.Meter) (meters []meter) {
	for _, one := range table.Metrics {
		made := meter{row: one}
		// An error of an instrument goes to the SDK's handler; the instrument does nothing then.
		if one.Kind == "counter" {
			counter, _ := from.Int64Counter(one.Name, metric.WithUnit(one.Unit))
			made.enabled = func(ctx context.Context) bool { return counter.Enabled(ctx) }
			made.record = func(ctx context.Context, value attribute.Value, labels metric.MeasurementOption) {
				counter.Add(ctx, value.AsInt64(), labels)
			}
		} else {
			histogram, _ := from.Float64Histogram(one.Name, metric.WithUnit(one.Unit),
				metric.WithExplicitBucketBoundaries(table.Seconds...))
			made.enabled = func(ctx context.Context) bool { return histogram.Enabled(ctx) }
			made.record = func(ctx context.Context, value attribute.Value, labels metric.MeasurementOption) {
				histogram.Record(ctx, value.AsFloat64(), labels)
			}
		}
		meters = append(meters, made)
	}
	return meters
}

// measure gives the meters what they count. What is answered from the cache has used nothing.
func (o *observation) measure(facts map[string]any, found []attribute.KeyValue) {
	hit, labels := false, make([]attribute.KeyValue, 0, len(table.MetricLabels))
	for _, one := range found {
		hit = hit || one.Key == "liter_llm.cache"
		for _, name := range table.MetricLabels {
			if string(one.Key) == name {
				labels = append(labels, one)
			}
		}
	}
	// The span of the context is for exemplars. The call's end is counted even if it was cancelled.
	ctx := context.WithoutCancel(o.ctx)
	for _, own := range o.meters {
		value := written(own.As, look(facts, own.From))
		if value.Type() != attribute.INVALID && !(hit && own.Kind == "counter") {
			own.record(ctx, value, metric.WithAttributes(labels...))
		}
	}
}
