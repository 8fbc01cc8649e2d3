package literllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

var background = context.Background()

// atOnce retries without a wait.
func atOnce(config literllm.Config) literllm.Config {
	config.Retry = &literllm.Retry{BaseMS: literllm.Ptr(0)}
	return config
}

func targets(attempts []literllm.Attempt) (names []string) {
	for _, attempt := range attempts {
		names = append(names, attempt.Target)
	}
	return names
}

func providers(responses []*literllm.Response) (names []string) {
	for _, response := range responses {
		names = append(names, response.Provider)
	}
	return names
}

func TestRetriesAndTheirAttempts(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		response, err := open(t, atOnce(scripted("overloaded_once")), way).Chat(background, prompt("x"))
		if err != nil {
			t.Fatal(err)
		}
		attempts := response.Liter.Attempts
		for i := range attempts {
			attempts[i].MS = 0
		}
		want := []literllm.Attempt{
			{Target: "openai/gpt-5-mini", Status: 503, Kind: "unavailable", Message: "Overloaded."},
			{Target: "openai/gpt-5-mini", Status: 200},
		}
		if !slices.Equal(attempts, want) {
			t.Errorf("%+v", attempts)
		}
	})
}

func TestAnErrorHasItsAttempts(t *testing.T) {
	config := scripted("cut")
	config.Retry = nil
	request := prompt("x")
	request.Options = &literllm.Options{Retry: &literllm.Retry{Off: true}}
	_, err := open(t, config).Chat(background, request)
	var failure *literllm.Error
	if !errors.As(err, &failure) || len(failure.Attempts) != 1 ||
		failure.Attempts[0].Kind != literllm.ErrConnection || !failure.Attempts[0].MayBeBilled {
		t.Errorf("%+v", failure)
	}
}

func TestFallback(t *testing.T) {
	config := free("")
	beside(config, "bad", scripted("overloaded"))
	defaults := literllm.Options{Retry: &literllm.Retry{Off: true}, Fallback: []string{"openai"}}
	client := open(t, config, literllm.WithOptions(defaults), literllm.WithProvider("bad"))
	response, err := client.Chat(background, prompt("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"bad/gpt-5-mini", "openai/gpt-5-mini"}
	if response.Provider != "openai" || !slices.Equal(targets(response.Liter.Attempts), want) {
		t.Errorf("%+v", response)
	}
}

// routed has a route whose first target refuses the key.
func routed(t *testing.T) *literllm.Client {
	config := free("")
	beside(config, "bad", scripted("bad_key"))
	beside(config, "other", free(""))
	config.Routes = map[string]literllm.Route{
		"sure": {Policy: "priority", Targets: []literllm.Target{{Target: "bad"}, {Target: "other/m"}}},
	}
	return open(t, config)
}

func TestARouteAsProvider(t *testing.T) {
	request := prompt("Hello")
	request.Options = &literllm.Options{Provider: "sure"}
	response, err := routed(t).Chat(background, request)
	if err != nil || response.Provider != "other" || response.Model != "m" {
		t.Error(response, err)
	}
}

func TestARouteAsModel(t *testing.T) {
	response, err := routed(t).Chat(background, &literllm.ChatRequest{Model: "sure", Prompt: "Hello"})
	if err != nil || response.Provider != "other" || response.Model != "m" {
		t.Error(response, err)
	}
}

func TestAFanOutHasItsOwnTargets(t *testing.T) {
	fallback := literllm.Options{Fallback: []string{"cohere"}}
	client := open(t, free(""), literllm.WithOptions(fallback))
	multi, err := client.GenerateMulti(background, prompt("Hello"), []string{"openai/m"}, 1)
	if err != nil || multi.Results[0].Text != "You said: Hello" {
		t.Error(multi, err)
	}
	asked := prompt("Hello")
	asked.Options = &fallback
	_, err = client.GenerateMulti(background, asked, []string{"openai/m"}, 1)
	var failure *literllm.Error
	if !errors.As(err, &failure) || failure.Param != "options.fallback" {
		t.Error(err)
	}
}

func TestFanOut(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		config := free("")
		beside(config, "bad", scripted("bad_key"))
		beside(config, "never", scripted("never"))
		client := open(t, config, way)
		asked := []string{"never", "bad", "openai/gpt-5"}
		multi, err := client.GenerateMulti(background, prompt("Hello"), asked, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(multi.Results) != 1 || multi.Results[0].Text != "You said: Hello" ||
			multi.Results[0].Model != "gpt-5" || len(multi.Failures) != 2 {
			t.Error(multi.Document())
		}
		cancelled := slices.ContainsFunc(multi.Failures, func(failure *literllm.Error) bool {
			return failure.Provider == "never" && errors.Is(failure, literllm.ErrCancelled)
		})
		if !cancelled {
			t.Error(multi.Failures)
		}
	})
	openRequests(t, 0)
}

func TestFanOutWaitsForAsManyAsAreWanted(t *testing.T) {
	config := free("")
	beside(config, "slow", free("delay_ms=1000"))
	beside(config, "bad", scripted("bad_key"))
	request := &literllm.ChatRequest{Raw: json.RawMessage(`{"prompt":"Hello"}`), Options: &literllm.Options{}}
	multi, err := open(t, config).GenerateMulti(background, request, []string{"slow", "bad", "openai"}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(providers(multi.Results), []string{"openai", "slow"}) || len(multi.Failures) != 1 ||
		!errors.Is(multi.Failures[0], literllm.ErrAuthentication) || len(multi.Failures[0].Attempts) != 1 {
		t.Error(multi.Document())
	}
	if request.Options.Fanout != nil {
		t.Error("the caller's options were written to")
	}
}

func TestFanOutThatNobodyAnswers(t *testing.T) {
	config := free("")
	beside(config, "bad", scripted("bad_key"))
	beside(config, "worse", scripted("forbidden"))
	client := open(t, config)
	_, err := client.GenerateMulti(background, prompt("Hello"), []string{"bad", "worse"}, 1)
	var failure *literllm.Error
	if !errors.As(err, &failure) {
		t.Fatal(err)
	}
	names := targets(failure.Attempts)
	slices.Sort(names)
	if !slices.Equal(names, []string{"bad/gpt-5-mini", "worse/gpt-5-mini"}) {
		t.Errorf("%+v", failure)
	}
	for _, wrong := range []struct {
		request *literllm.ChatRequest
		targets []string
		first   int
		kind    error
	}{
		{nil, []string{"openai"}, 1, literllm.ErrInvalidRequest},
		{prompt("x"), nil, 1, literllm.ErrInvalidRequest},
		{prompt("x"), []string{"openai"}, 2, literllm.ErrInvalidRequest},
		{prompt("x"), []string{"openai"}, -1, literllm.ErrInvalidRequest},
		{prompt("x"), []string{"nobody"}, 1, literllm.ErrNotFound},
	} {
		_, err := client.GenerateMulti(background, wrong.request, wrong.targets, wrong.first)
		if !errors.Is(err, wrong.kind) {
			t.Errorf("%v of %d: %v", wrong.targets, wrong.first, err)
		}
	}
}

// Chat says what to do; a stream is the one that begins first.
func TestFanOutIsNotForOneAnswer(t *testing.T) {
	fanout := literllm.Fanout{Targets: []string{"openai"}}
	raw := `{"prompt":"Hello","options":{"fanout":{"targets":["openai"]}}}`
	extra := literllm.Options{Extra: map[string]any{"fanout": fanout}}
	for name, request := range map[string]*literllm.ChatRequest{
		"options": {Prompt: "Hello", Options: &literllm.Options{Fanout: &fanout}},
		"extra":   {Prompt: "Hello", Options: &extra},
		"raw":     {Raw: json.RawMessage(raw)},
	} {
		client := open(t, free(""))
		_, err := client.Chat(background, request)
		var failure *literllm.Error
		if !errors.As(err, &failure) || failure.Kind != literllm.ErrInvalidRequest || failure.Param != "options.fanout" {
			t.Errorf("%s: %v", name, err)
		}
		for chunk, err := range client.Stream(background, request) {
			if err != nil || chunk.Response != nil && chunk.Response.Text != "You said: Hello" {
				t.Errorf("%s: %v %v", name, chunk, err)
			}
		}
	}
	defaults := literllm.WithOptions(literllm.Options{Fanout: &fanout})
	if _, err := open(t, free(""), defaults).Chat(background, prompt("x")); !errors.Is(err, literllm.ErrInvalidRequest) {
		t.Error(err)
	}
}

func TestAStreamThatBeginsAnew(t *testing.T) {
	request := prompt("Hello")
	request.Options = &literllm.Options{OnBreak: "restart"}
	var text string
	var resets []string
	var response *literllm.Response
	for chunk, err := range open(t, atOnce(scripted("broken_once"))).Stream(background, request) {
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Reset != "" {
			resets = append(resets, fmt.Sprint(text, " ", chunk.Reset, " ", chunk.Text, len(chunk.Choices), chunk.Document()))
			text = ""
		}
		text += chunk.Text
		response = chunk.Response
	}
	document := `{"object":"chat.completion.reset","choices":[{"index":0,"delta":{},"finish_reason":null}],` +
		`"reason":"stream_broken"}`
	if !slices.Equal(resets, []string{"Hel stream_broken 1" + document}) {
		t.Errorf("%q", resets)
	}
	if text != "Hi" || response == nil || response.Text != "Hi" || len(response.Liter.Attempts) != 2 {
		t.Errorf("%q %+v", text, response)
	}
}

// The engine takes every setting that the structs have.
func TestEveryMemberOfAConfiguration(t *testing.T) {
	config := free("")
	beside(config, "other", free(""))
	other := config.Providers["other"]
	other.Region = "eu"
	other.Limits = &literllm.Limits{RequestsPerMinute: 600, TokensPerMinute: 90_000, MaxInFlight: 8}
	other.Models = map[string]literllm.Model{"m": {Limits: &literllm.Limits{MaxInFlight: 4}}}
	other.IdempotencyHeader = "idempotency-key"
	other.HealthProbe = &literllm.HealthProbe{IntervalMS: 10_000}
	other.Auth = &literllm.Auth{Header: "api-key", Bearer: literllm.Ptr(false)}
	other.Query = map[string]string{"api-version": "1"}
	other.Body = map[string]any{"top_k": 5}
	other.Switches = &literllm.Switches{
		Path: "/chat/completions", MaxTokens: "max_tokens", Sampling: []string{"temperature", "top_p", "seed"},
		StreamOptions: literllm.Ptr(false), NeedsDone: literllm.Ptr(true), ReasoningBack: "none",
		DeveloperRole: literllm.Ptr(true), ParallelToolCalls: literllm.Ptr(false), ExtraContent: literllm.Ptr(false),
	}
	config.Providers["other"] = other
	retry := &literllm.Retry{MaxAttempts: 2, BaseMS: literllm.Ptr(1), CapMS: literllm.Ptr(2), MaxWaitMS: literllm.Ptr(3)}
	target := literllm.Target{Target: "other/m", Region: "eu", Weight: literllm.Ptr(2), Parameters: &literllm.Parameters{
		MaxTokens: 9, Temperature: literllm.Ptr(0.1), TopP: literllm.Ptr(0.9), Seed: literllm.Ptr(int64(1)),
		Reasoning: &literllm.Reasoning{Effort: "low"},
		Extra:     map[string]map[string]any{"other": {"service_tier": "flex"}},
	}}
	config.Routes = map[string]literllm.Route{"r": {
		Policy: "weighted", Targets: []literllm.Target{target}, Retry: retry, Hedge: &literllm.Hedge{Off: true},
	}}
	config.Retry = &literllm.Retry{Off: true}
	config.RetryBudget = &literllm.RetryBudget{Percent: literllm.Ptr(10), PerSecond: literllm.Ptr(1)}
	config.Hedge = &literllm.Hedge{P95: true, Max: 1}
	config.Breaker = literllm.Ptr(false)
	config.Limit = &literllm.Limit{Wait: literllm.Ptr(false)}
	config.LearnLimits = literllm.Ptr(false)
	request := prompt("Hello")
	request.Options = &literllm.Options{
		Provider: "r", Region: "eu", StickyKey: "user-1", IdempotencyKey: "once", OnBreak: "error",
		Limit: &literllm.Limit{Wait: literllm.Ptr(true)}, Hedge: &literllm.Hedge{AfterMS: 5000}, Retry: retry,
		Adapt: literllm.Ptr(true), DropRefused: literllm.Ptr(true), Headers: map[string]string{"x-team": "blue"},
	}
	response, err := open(t, config).Chat(background, request)
	if err != nil || response.Provider != "other" || len(response.Warnings) != 0 {
		t.Error(response, err)
	}
	off, err := json.Marshal([]any{literllm.RetryBudget{Off: true}, literllm.Hedge{AfterMS: 1}, literllm.Hedge{P95: true}})
	if err != nil || string(off) != `[false,{"after_ms":1},{"after_ms":"p95"}]` {
		t.Error(string(off), err)
	}
}

// A collected stream begins anew by default, as nothing of it was shown.
func TestACollectedStreamBeginsAnew(t *testing.T) {
	stream := func(onBreak string) *literllm.ChatStream {
		request := prompt("Hello")
		request.Options = &literllm.Options{OnBreak: onBreak}
		stream, err := open(t, atOnce(scripted("broken_once"))).OpenStream(context.Background(), request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stream.Close() })
		return stream
	}
	collected := stream("")
	response, err := collected.Result()
	if err != nil || response.Text != "Hi" || len(response.Liter.Attempts) != 2 {
		t.Error(response, err)
	}
	for _, again := range []func() (*literllm.Response, error){collected.Result, collected.Response} {
		if again, err := again(); again != response || err != nil {
			t.Error(again, err)
		}
	}
	if _, err := collected.Next(); err != io.EOF {
		t.Error(err)
	}
	shown := stream("")
	if chunk, err := shown.Next(); err != nil || chunk.Text != "Hel" {
		t.Error(chunk, err)
	}
	for _, broken := range []*literllm.ChatStream{shown, stream("error")} {
		if _, err := broken.Result(); !errors.Is(err, literllm.ErrStreamBroken) {
			t.Error(err)
		}
	}
}
