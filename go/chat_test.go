package literllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

func TestChat(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		response, err := client.Chat(context.Background(), &literllm.ChatRequest{
			Messages: []literllm.Message{literllm.System("Be brief"), literllm.User("Hello")},
			Model:    "gpt-5-mini", MaxTokens: 50, Temperature: literllm.Ptr(0.5),
		})
		if err != nil {
			t.Fatal(err)
		}
		if response.Text != "You said: Hello" || response.Choices[0].Message.Content != response.Text ||
			response.Choices[0].FinishReason != literllm.Stop || response.Provider != "openai" ||
			*response.Usage.PromptTokens == 0 || response.Liter.Timing.TotalMS == 0 ||
			response.Liter.Attempts[0].Status != 200 {
			t.Errorf("%+v", response)
		}
	})
}

func TestAContextThatCanEnd(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for range 100 {
			if _, err := client.Chat(ctx, prompt("Hello")); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestToolsThereAndBack(t *testing.T) {
	client := open(t, scripted("tools"))
	response, err := client.Chat(context.Background(), prompt("The weather?"))
	if err != nil {
		t.Fatal(err)
	}
	message := response.Choices[0].Message
	call := message.ToolCalls[0]
	if call.ID != "call_1" || call.Function.Arguments != `{"city": "Zürich"}` ||
		response.Choices[0].FinishReason != literllm.ToolCalls {
		t.Fatalf("%+v", response)
	}
	client = open(t, free(""))
	_, err = client.Chat(context.Background(), &literllm.ChatRequest{
		Messages: []literllm.Message{
			literllm.User("The weather?"), message, literllm.ToolResult(call.ID, "sunny"),
		},
		Tools: []literllm.Tool{{Function: &literllm.FunctionSpec{
			Name: "weather", Parameters: map[string]any{"type": "object"},
		}}},
		ToolChoice: &literllm.ToolChoice{Mode: "auto"},
		Options:    &literllm.Options{Strict: literllm.Ptr(true), Unsupported: "error"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The engine must read what was written. A strict engine refuses a member that it does not know.
func TestEveryMember(t *testing.T) {
	client := open(t, free(""))
	request := &literllm.ChatRequest{
		Messages: []literllm.Message{
			{Role: "user", Name: "Ada", Parts: []literllm.Part{
				literllm.Text("Hello"), literllm.Image("https://example.com/a.png"),
				{InputAudio: &literllm.Audio{Data: "AAAA", Format: "wav"}},
				{File: &literllm.File{FileID: "file-1"}},
			}},
			{Role: "assistant", Content: "Hi", Refusal: "no"},
			literllm.User("Again"),
		},
		Model: "gpt-4.1-mini", MaxTokens: 5, Temperature: literllm.Ptr(0.1), TopP: literllm.Ptr(0.9),
		Stop: []string{"END"}, Seed: literllm.Ptr(int64(7)), N: 1,
		PresencePenalty: literllm.Ptr(0.1), FrequencyPenalty: literllm.Ptr(0.2),
		Tools: []literllm.Tool{{Function: &literllm.FunctionSpec{
			Name: "f", Description: "does f", Strict: literllm.Ptr(true),
			Parameters: json.RawMessage(`{"type":"object","properties":{},"additionalProperties":false}`),
		}}},
		ToolChoice: &literllm.ToolChoice{Function: "f"}, ParallelToolCalls: literllm.Ptr(false),
		ResponseFormat: &literllm.ResponseFormat{Type: "json_schema", JSONSchema: &literllm.JSONSchema{
			Name: "s", Schema: map[string]any{"type": "object", "additionalProperties": false}, Strict: literllm.Ptr(true),
		}},
		Reasoning: &literllm.Reasoning{Effort: "low"}, Metadata: map[string]any{"a": "b"}, User: "u",
		Extra: map[string]map[string]any{"openai": {"service_tier": "flex"}},
		Options: &literllm.Options{Provider: "openai", Timeout: time.Minute, Idle: time.Second,
			MergeDeltas: literllm.Ptr(true), Unsupported: "error", Strict: literllm.Ptr(true)},
	}
	for _, way := range []literllm.Option{literllm.WithInlineCalls(0), literllm.WithInlineCalls(9)} {
		response, err := open(t, free(""), way).Chat(context.Background(), request)
		if err != nil {
			t.Fatal(err)
		}
		if len(response.Warnings) != 0 {
			t.Errorf("%+v", response.Warnings)
		}
	}
	// As JSON, options inside, it is the same request.
	raw, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Chat(context.Background(), &literllm.ChatRequest{Raw: raw}); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]any{"request": request, "by value": *request} {
		document, err := json.Marshal(value)
		if err != nil || string(document) != string(raw) {
			t.Errorf("%s: %v %s", name, err, document)
		}
	}
}

func TestWarnings(t *testing.T) {
	client := open(t, free(""))
	response, err := client.Chat(context.Background(), &literllm.ChatRequest{
		Prompt: "Hello", Members: map[string]any{"colour": "blue"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(response.Warnings) != 1 || response.Warnings[0].Param != "colour" {
		t.Errorf("%+v", response.Warnings)
	}
}

func TestOptionsOfTheClientAndOfTheRequest(t *testing.T) {
	config := withFast(free("delay_ms=30000"))
	options := literllm.Options{Timeout: 20 * time.Millisecond}
	client := open(t, config, literllm.WithProvider("fast"), literllm.WithOptions(options))
	request := prompt("Hello")
	request.Options = &literllm.Options{Timeout: time.Minute}
	ask(t, client, request)
	request.Options = &literllm.Options{Provider: "openai"}
	_, err := client.Chat(context.Background(), request)
	if !errors.Is(err, literllm.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// The first of these to set an option wins: beside the request, in its own document, the client's.
func TestOptionsInsideARequest(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		config := withFast(free("delay_ms=30000"))
		slow := literllm.WithOptions(literllm.Options{Timeout: 20 * time.Millisecond, Provider: "openai"})
		client := open(t, config, way, slow)
		inside := `{"prompt":"Hello", "options" : {"provider":"fast","timeout_ms":60000} } `
		fast := map[string]any{"provider": "fast", "timeout_ms": 60_000}
		for name, request := range map[string]*literllm.ChatRequest{
			"raw": raw(inside), "members": member("options", fast),
		} {
			response, err := client.Chat(background, request)
			if err != nil || response.Provider != "fast" {
				t.Error(name, response, err)
			}
			for chunk, err := range client.Stream(background, request) {
				if err != nil || chunk.Response != nil && chunk.Response.Provider != "fast" {
					t.Error(name, chunk, err)
				}
			}
			request.Options = &literllm.Options{Provider: "openai", Timeout: 10 * time.Millisecond}
			if _, err := client.Chat(background, request); !errors.Is(err, literllm.ErrTimeout) {
				t.Error(name, err)
			}
		}
		for _, wrong := range []string{`7`, `{`, `{"provider":7}`, `[{}]`} {
			_, err := client.Chat(background, raw(`{"prompt":"x","options":`+wrong+`}`))
			if !errors.Is(err, literllm.ErrInvalidRequest) {
				t.Error(wrong, err)
			}
		}
		// A deadline further off is not in their way.
		ctx, cancel := context.WithTimeout(background, time.Minute)
		defer cancel()
		for _, request := range []*literllm.ChatRequest{
			raw(`{"prompt":"x","options":{"timeout_ms":20}}`),
			{Prompt: "x", Options: &literllm.Options{Extra: map[string]any{"timeout_ms": 20}}},
		} {
			_, err := open(t, config, way).Chat(ctx, request)
			if !errors.Is(err, literllm.ErrTimeout) || ctx.Err() != nil {
				t.Error(err)
			}
		}
	})
}

// The package decides which thread does a request's work.
func TestInlineIsNotAnOption(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		inline := map[string]any{"inline": true}
		asked := prompt("x")
		asked.Options = &literllm.Options{Extra: inline}
		for _, request := range []*literllm.ChatRequest{
			asked, member("options", inline), raw(`{"prompt":"x","options":{"inline":true}}`),
		} {
			_, err := open(t, free(""), way).Chat(background, request)
			var failure *literllm.Error
			if !errors.As(err, &failure) || failure.Param != "options.inline" {
				t.Error(err)
			}
		}
	})
}

// Who asks for a stream of a method that has none is told which method streams, however the request
// is given. Nothing is sent.
func TestARequestThatSaysStream(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("chunks=3"), way)
		before := simulatorStats(t).Requests
		for _, request := range []*literllm.ChatRequest{
			raw(`{"prompt":"Hello", "stream" : true } `),
			raw(`{"prompt":"Hello","stream":false,"metadata":{"stream":false},"stream":true}`),
			member("stream", true),
		} {
			_, chat := client.Chat(background, request)
			_, multi := client.GenerateMulti(background, request, []string{"openai"}, 1)
			_, invoke := literllm.Invoke("openai", request)
			for method, err := range map[string]error{"Chat": chat, "GenerateMulti": multi, "Invoke": invoke} {
				var failure *literllm.Error
				expected := "stream is true, but " + method + " waits for the whole answer: use Client.Stream"
				if !errors.As(err, &failure) || failure.Message != expected || failure.Param != "stream" ||
					failure.Kind != "invalid_request" {
					t.Errorf("%s: %v", method, err)
				}
			}
		}
		for _, document := range []any{
			`{"prompt":"x","stream":true}`, []byte(`{"stream":true}`), map[string]any{"stream": true},
		} {
			if _, err := literllm.Invoke("", document); !errors.Is(err, literllm.ErrInvalidRequest) ||
				!strings.Contains(err.Error(), "use Client.Stream") {
				t.Error(err)
			}
		}
		for _, request := range []*literllm.ChatRequest{raw(`{"stream":false,"prompt":"x"}`), member("stream", false)} {
			for _, err := range client.Stream(background, request) {
				if !errors.Is(err, literllm.ErrInvalidRequest) || !strings.Contains(err.Error(), "ask with Client.Chat") {
					t.Error(err)
				}
			}
		}
		equal(t, simulatorStats(t).Requests, before)
	})
}

// A stream of a request that says so, or nothing, and a whole answer likewise.
func TestARequestThatMaySayStream(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("chunks=3"), way)
		for _, text := range []string{
			`{"prompt":"Hello"}`, `{"stream":true,"prompt":"Hello"}`, `{"prompt":"Hello","stream":null}`,
			`{"prompt":"Hello","metadata":{"stream":false}}`,
		} {
			chunks := 0
			for chunk, err := range client.Stream(background, raw(text)) {
				if err != nil {
					t.Fatal(err)
				}
				if chunk.Text != "" {
					chunks++
				}
			}
			equal(t, chunks, 3)
		}
		for _, text := range []string{
			`{"prompt":"Hello","stream":false}`, `{"prompt":"Hello","metadata":{"stream":true}}`, `{"prompt":"\"stream\":true"}`,
		} {
			if response, err := client.Chat(background, raw(text)); err != nil || response.Object != "chat.completion" {
				t.Error(text, response, err)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	client := open(t, free(""))
	ask(t, client, prompt("Hello"))
	document, err := client.Metrics(literllm.MetricsJSON)
	if err != nil {
		t.Fatal(err)
	}
	var counters struct {
		InFlight  int `json:"in_flight"`
		Providers map[string]struct{ Calls int }
	}
	if err := json.Unmarshal([]byte(document), &counters); err != nil ||
		counters.Providers["openai"].Calls != 1 || counters.InFlight != 0 {
		t.Error(err, document)
	}
	text, err := client.Metrics(literllm.MetricsPrometheus)
	if err != nil || !strings.Contains(text, `liter_llm_calls_total{provider="openai",outcome="ok"} 1`) {
		t.Error(err, text)
	}
	if _, err := client.Metrics("xml"); !errors.Is(err, literllm.ErrInvalidRequest) {
		t.Error(err)
	}
}

func init() {
	children["invoke"] = func() {
		type model string
		requests := []any{
			`{"prompt":"Hello"}`, []byte(`{"prompt":"Hello"}`), json.RawMessage(`{"prompt":"Hello"}`),
			prompt("Hello"), *prompt("Hello"), map[string]any{"prompt": "Hello"},
			struct {
				Prompt string `json:"prompt"`
			}{"Hello"},
		}
		providers := []any{
			"fast", []byte("fast"), model("fast"), literllm.Options{Provider: "fast"},
			&literllm.Options{Provider: "fast"}, map[string]any{"provider": "fast"},
		}
		check := func(provider, request any) {
			answer, err := literllm.Invoke(provider, request)
			if err != nil || !strings.Contains(answer, `"content":"You said: Hello"`) {
				panic(answer + err.Error())
			}
		}
		for _, request := range requests {
			check("fast", request)
		}
		for _, provider := range providers {
			check(provider, requests[0])
		}
		for _, nothing := range []any{nil, "", (*literllm.Options)(nil)} {
			if _, err := literllm.Invoke(nothing, requests[0]); !errors.Is(err, literllm.ErrTimeout) {
				panic(err)
			}
		}
		for _, wrong := range []any{7, []string{"fast"}, make(chan int)} {
			if _, err := literllm.Invoke(wrong, requests[0]); !errors.Is(err, literllm.ErrInvalidRequest) {
				panic(err)
			}
		}
		for _, wrong := range []any{nil, 7, make(chan int), "{", map[string]any{"prompt": "\xff"}} {
			if _, err := literllm.Invoke("fast", wrong); !errors.Is(err, literllm.ErrInvalidRequest) {
				panic(err)
			}
		}
	}
	children["generate"] = func() {
		text, err := literllm.Generate("Hello", 0, -1)
		if err != nil || text != "You said: Hello" {
			panic(text)
		}
		if text, err = literllm.Generate("Hello", 9, 0.2); err != nil || text != "You said: Hello" {
			panic(text)
		}
	}
}

func TestInvoke(t *testing.T) {
	config := withFast(free("delay_ms=30000"))
	openai := config.Providers["openai"]
	openai.Timeouts = &literllm.Timeouts{TotalMS: 50}
	config.Providers["openai"] = openai
	if output, err := child(t, "invoke", config).CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("%v %s", err, output)
	}
}

func TestGenerate(t *testing.T) {
	if output, err := child(t, "generate", free("")).CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("%v %s", err, output)
	}
}
