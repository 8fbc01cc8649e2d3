package literotel

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	literllm "github.com/liter-llm/liter-llm/go"
)

const many = 1000

// A provider answers chats and keeps the trace contexts that came.
type provider struct {
	*httptest.Server
	mutex   sync.Mutex
	parents []string
}

func newProvider(t *testing.T) *provider {
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Model  string
			Stream bool
		}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		p.mutex.Lock()
		p.parents = append(p.parents, r.Header.Get("traceparent"))
		number := len(p.parents)
		p.mutex.Unlock()
		switch {
		case asked.Model == "busy" && number == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case asked.Model == "refused":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error": {"message": "Incorrect API key provided."}}`)
		case asked.Stream:
			w.Header().Set("content-type", "text/event-stream")
			fmt.Fprint(w, "data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"Hi\"}}]}\n\n")
			w.(http.Flusher).Flush()
			if asked.Model != "broken" {
				<-r.Context().Done()
			}
		default:
			w.Header().Set("content-type", "application/json")
			fmt.Fprint(w, `{"model": "m-1", "choices": [{"index": 0, "finish_reason": "stop",
				"message": {"role": "assistant", "content": "ok"}}],
				"usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}`)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) client(t *testing.T, observer literllm.Observer, more string) *literllm.Client {
	config := fmt.Sprintf(`{"providers": {"mine": {"kind": "compatible", "base_url": %q,
		"api_key": "k"}}, "retry": {"base_ms": 1}%s}`, p.URL, more)
	client, err := literllm.NewClient(literllm.WithConfigJSON([]byte(config)), literllm.WithObserver(observer))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func observed(options ...sdktrace.TracerProviderOption) (literllm.Observer, *tracetest.SpanRecorder, *sdktrace.TracerProvider) {
	recorder := tracetest.NewSpanRecorder()
	tracers := sdktrace.NewTracerProvider(append(options, sdktrace.WithSpanProcessor(recorder))...)
	return New(Config{TracerProvider: tracers, MeterProvider: noop.NewMeterProvider()}), recorder, tracers
}

// values are attributes as JSON has them.
func values(found []attribute.KeyValue) map[string]any {
	out := map[string]any{}
	for _, one := range found {
		out[string(one.Key)] = one.Value.AsInterface()
	}
	text, _ := json.Marshal(out)
	out = map[string]any{}
	_ = json.Unmarshal(text, &out)
	return out
}

func ended(recorder *tracetest.SpanRecorder) (own []sdktrace.ReadOnlySpan) {
	for _, span := range recorder.Ended() {
		if span.InstrumentationScope().Name == "liter_llm" {
			own = append(own, span)
		}
	}
	return own
}

func TestTheTable(t *testing.T) {
	text, err := os.ReadFile("../../bindings/conformance/semconv.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Cases []struct {
			About, Span   string
			Answer, Error json.RawMessage
			Attributes    map[string]any
		}
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, one := range cases.Cases {
		document := string(one.Answer)
		if document == "" {
			document = `{"error": ` + string(one.Error) + `}`
		}
		facts, _ := factsOf(document, nil)
		found := attributes(table.Attributes, facts)
		if !reflect.DeepEqual(values(found), one.Attributes) || spanName(found) != one.Span {
			t.Errorf("%s: %v", one.About, values(found))
		}
	}
}

func TestAThousandCallsUnderAThousandParents(t *testing.T) {
	observer, recorder, tracers := observed()
	p := newProvider(t)
	client := p.client(t, observer, "")
	var group sync.WaitGroup
	room := make(chan struct{}, 64)
	numbers := sync.Map{}
	for number := range many {
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			ctx, parent := tracers.Tracer("test").Start(context.Background(), "parent")
			defer parent.End()
			numbers.Store(parent.SpanContext().SpanID(), int64(number))
			most := number + 1
			request := &literllm.ChatRequest{Model: "mine/m", Prompt: "Hi", MaxTokens: most}
			if _, err := client.Chat(ctx, request); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	sent, seen := map[string]bool{}, map[int64]bool{}
	for _, parent := range p.parents {
		sent[parent] = true
	}
	for _, span := range ended(recorder) {
		if span.Name() == "POST" { // an attempt, where a busy machine needed a second one
			continue
		}
		number, _ := numbers.Load(span.Parent().SpanID())
		own := span.SpanContext()
		header := "00-" + own.TraceID().String() + "-" + own.SpanID().String() + "-" + own.TraceFlags().String()
		if got := values(span.Attributes())["gen_ai.request.max_tokens"]; got != float64(number.(int64)+1) || !sent[header] {
			t.Fatal(got, number, header)
		}
		seen[number.(int64)] = true
	}
	if len(seen) != many || len(sent) != many {
		t.Error(len(seen), len(sent))
	}
}

func TestASpanHasWhatTheAnswerHas(t *testing.T) {
	observer, recorder, _ := observed()
	answer, err := newProvider(t).client(t, observer, "").Chat(t.Context(),
		&literllm.ChatRequest{Model: "mine/m", Prompt: "Hi"})
	if err != nil {
		t.Fatal(err)
	}
	span := ended(recorder)[0]
	found := values(span.Attributes())
	if span.Name() != "chat m" || found["liter_llm.request_id"] != answer.Liter.RequestID ||
		found["gen_ai.usage.input_tokens"] != 3.0 || found["server.address"] != "127.0.0.1" {
		t.Error(span.Name(), found)
	}
	if taken := span.EndTime().Sub(span.StartTime()); taken < 0 || taken > time.Minute {
		t.Error(taken)
	}
}

func TestSeveralAttemptsAreChildren(t *testing.T) {
	observer, recorder, _ := observed()
	client := newProvider(t).client(t, observer, "")
	if _, err := client.Chat(t.Context(), &literllm.ChatRequest{Model: "mine/busy", Prompt: "Hi"}); err != nil {
		t.Fatal(err)
	}
	spans := ended(recorder)
	if len(spans) != 3 || spans[0].Parent().SpanID() != spans[2].SpanContext().SpanID() {
		t.Fatal(spans)
	}
	if got := values(spans[0].Attributes()); got["http.response.status_code"] != 503.0 {
		t.Error(got)
	}
}

func TestFailuresStreamsAndHits(t *testing.T) {
	observer, recorder, _ := observed()
	client := newProvider(t).client(t, observer, `, "cache": {}`)
	ask := func(model string) *literllm.ChatRequest {
		return &literllm.ChatRequest{Model: "mine/" + model, Prompt: "Hi"}
	}
	if _, err := client.Chat(t.Context(), ask("refused")); err == nil {
		t.Error("answered")
	}
	for _, err := range client.Stream(t.Context(), ask("broken")) {
		_ = err
	}
	for range client.Stream(t.Context(), ask("left")) {
		break
	}
	func() {
		stream, err := client.OpenStream(t.Context(), ask("dropped"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = stream.Next()
	}()
	for deadline := time.Now().Add(time.Minute); len(ended(recorder)) < 4 && time.Now().Before(deadline); {
		runtime.GC()
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Chat(ctx, ask("m")); err == nil {
		t.Error("answered")
	}
	client = newProvider(t).client(t, observer, `, "cache": {}`) // the key of the other one was refused
	for range 2 {
		request := ask("m")
		request.Temperature = literllm.Ptr(0.0)
		if _, err := client.Chat(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []any
	for _, span := range ended(recorder) {
		kinds = append(kinds, values(span.Attributes())["error.type"])
		if strings.Contains(fmt.Sprint(span.Attributes(), span.Status(), span.Events()), "Incorrect") {
			t.Error("a message of a provider is in a span")
		}
	}
	wanted := []any{"authentication", "stream_broken", "cancelled", "cancelled", nil, nil}
	if !reflect.DeepEqual(kinds, wanted) {
		t.Error(kinds)
	}
	spans := ended(recorder)
	if got := values(spans[len(spans)-1].Attributes()); got["liter_llm.cache"] != "memory" {
		t.Error(got)
	}
}

func TestASamplerThatIsOffStillSendsTheContext(t *testing.T) {
	observer, recorder, _ := observed(sdktrace.WithSampler(sdktrace.NeverSample()))
	p := newProvider(t)
	if _, err := p.client(t, observer, "").Chat(t.Context(), &literllm.ChatRequest{Model: "mine/m", Prompt: "Hi"}); err != nil {
		t.Fatal(err)
	}
	if len(ended(recorder)) != 0 || !strings.HasSuffix(p.parents[0], "-00") {
		t.Error(p.parents)
	}
}

func TestNobodyListens(t *testing.T) {
	p := newProvider(t)
	answer, err := p.client(t, New(Config{}), "").Chat(t.Context(), &literllm.ChatRequest{Model: "mine/m", Prompt: "Hi"})
	if err != nil {
		t.Fatal(err)
	}
	if p.parents[0] != "" || answer.Liter.Trace != nil {
		t.Error(p.parents, answer.Liter.Trace)
	}
}

func TestMeters(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	tracers := sdktrace.NewTracerProvider()
	client := newProvider(t).client(t, New(Config{TracerProvider: tracers, MeterProvider: meters}), "")
	for range 3 {
		if _, err := client.Chat(t.Context(), &literllm.ChatRequest{Model: "mine/m", Prompt: "Hi"}); err != nil {
			t.Fatal(err)
		}
	}
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, own := range data.ScopeMetrics[0].Metrics {
		switch points := own.Data.(type) {
		case metricdata.Sum[int64]:
			got[own.Name] = points.DataPoints[0].Value
		case metricdata.Histogram[float64]:
			got[own.Name] = points.DataPoints[0].Count
			// A measurement leads to the span of its call.
			if found := points.DataPoints[0].Exemplars; len(found) == 0 || len(found[0].SpanID) == 0 {
				t.Error(own.Name, found)
			}
		}
	}
	if got["gen_ai.client.inference.duration"] != uint64(3) || got["gen_ai.client.inference.usage.input_tokens"] != int64(9) {
		t.Error(got)
	}
}
