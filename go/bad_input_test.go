package literllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

func raw(text string) *literllm.ChatRequest { return &literllm.ChatRequest{Raw: json.RawMessage(text)} }

func member(name string, value any) *literllm.ChatRequest {
	return &literllm.ChatRequest{Prompt: "x", Members: map[string]any{name: value}}
}

// Wrong input of every kind gives the right error and a message that helps, and nothing is sent.
func TestBadRequests(t *testing.T) {
	circle := map[string]any{}
	circle["circle"] = circle
	requests := map[string]struct {
		request *literllm.ChatRequest
		message string
	}{
		"nil":                     {nil, "nil"},
		"nothing":                 {&literllm.ChatRequest{}, "messages is missing"},
		"not JSON":                {raw("{nope"), "not valid JSON"},
		"cut off":                 {raw(`{"prompt":"secret`), "not valid JSON"},
		"invalid UTF-8":           {raw("{\"prompt\":\"secret\xff\"}"), "not UTF-8"},
		"overlong UTF-8":          {raw("{\"prompt\":\"secret\xc0\xaf\"}"), "not UTF-8"},
		"a NUL byte":              {raw("{\"prompt\":\"a\x00b\"}"), "not valid JSON"},
		"a NUL byte behind":       {raw("{\"prompt\":\"x\"}\x00"), "not valid JSON"},
		"a lone surrogate":        {raw(`{"prompt":"\ud800"}`), "half a character"},
		"empty":                   {raw(""), "empty"},
		"white space":             {raw(" \n"), "empty"},
		"a list":                  {raw("[]"), "object"},
		"null":                    {raw("null"), "object"},
		"too deep":                {raw(`{"prompt":"x","metadata":` + strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10001)), "deeper"},
		"stream is a text":        {raw(`{"prompt":"x","stream":"yes"}`), "stream"},
		"no messages":             {&literllm.ChatRequest{Messages: []literllm.Message{}}, "messages is empty"},
		"an unknown role":         {&literllm.ChatRequest{Messages: []literllm.Message{{Role: "boss", Content: "secret"}}}, "role must be one of"},
		"no role":                 {&literllm.ChatRequest{Messages: []literllm.Message{{Content: "secret"}}}, "role"},
		"both":                    {&literllm.ChatRequest{Prompt: "x", Messages: []literllm.Message{literllm.User("x")}}, "exclude each other"},
		"few tokens":              {&literllm.ChatRequest{Prompt: "x", MaxTokens: -1}, "max_tokens"},
		"NaN":                     {&literllm.ChatRequest{Prompt: "x", Temperature: literllm.Ptr(math.NaN())}, "NaN"},
		"infinite":                {&literllm.ChatRequest{Prompt: "x", TopP: literllm.Ptr(math.Inf(1))}, "Inf"},
		"a wrong type":            {member("max_tokens", "9"), "max_tokens must be a number"},
		"a channel":               {member("metadata", make(chan int)), "chan int"},
		"a function":              {member("metadata", map[string]any{"f": func() {}}), "func"},
		"a circle":                {member("metadata", circle), "cycle"},
		"wrong raw JSON":          {member("metadata", json.RawMessage("{")), "metadata"},
		"prompt no UTF-8":         {&literllm.ChatRequest{Prompt: "secret\xff"}, "prompt is not UTF-8"},
		"content no UTF-8":        {&literllm.ChatRequest{Messages: []literllm.Message{literllm.User("secret\xff")}}, "content is not UTF-8"},
		"part no UTF-8":           {&literllm.ChatRequest{Messages: []literllm.Message{{Role: "user", Parts: []literllm.Part{literllm.Text("secret\xff")}}}}, "text is not UTF-8"},
		"value no UTF-8":          {member("metadata", map[string]string{"a": "secret\xff"}), "metadata is not UTF-8"},
		"key no UTF-8":            {member("metadata", map[string]string{"secret\xff": "a"}), "metadata is not UTF-8"},
		"struct no UTF-8":         {member("metadata", struct{ A *string }{literllm.Ptr("secret\xff")}), "metadata is not UTF-8"},
		"option's type":           {&literllm.ChatRequest{Prompt: "x", Options: &literllm.Options{Extra: map[string]any{"timeout_ms": "1"}}}, "timeout_ms"},
		"an unknown option":       {&literllm.ChatRequest{Prompt: "x", Options: &literllm.Options{Extra: map[string]any{"colour": 1}}}, "colour"},
		"unsupported's word":      {&literllm.ChatRequest{Prompt: "x", Options: &literllm.Options{Unsupported: "maybe"}}, "unsupported"},
		"a number of nanoseconds": {&literllm.ChatRequest{Prompt: "x", Options: &literllm.Options{Timeout: 30}}, "timeout_ms is 30ns"},
		"a negative time":         {&literllm.ChatRequest{Prompt: "x", Options: &literllm.Options{Timeout: -1e9}}, "timeout_ms"},
	}
	before := simulatorStats(t).Requests
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		for name, bad := range requests {
			_, chat := client.Chat(context.Background(), bad.request)
			var stream error
			for _, err := range client.Stream(context.Background(), bad.request) {
				stream = err
			}
			for _, err := range []error{chat, stream} {
				var failure *literllm.Error
				if !errors.As(err, &failure) || failure.Kind != "invalid_request" || failure.Retryable ||
					!strings.Contains(failure.Message, bad.message) {
					t.Errorf("%s: %v", name, err)
				} else if strings.Contains(failure.Document(), "secret") {
					t.Errorf("%s: %s", name, failure.Document())
				}
			}
		}
		ask(t, client, prompt("still here"))
	})
	if after := simulatorStats(t).Requests; after != before+2 {
		t.Errorf("%d requests were sent", after-before)
	}
}

func TestAGenuineReplacementCharacter(t *testing.T) {
	client := open(t, free(""))
	ask(t, client, prompt("\ufffd"))
	for _, value := range []any{"\ufffd", `\ufffd`, json.RawMessage(`"\ufffd"`)} {
		if _, err := client.Chat(context.Background(), member("metadata", map[string]any{"a": value})); err != nil {
			t.Error(err)
		}
	}
}

// A server that catches panics goes on. A panic must not leave a lock or a counted request behind.
func TestClientsAndContextsThatAreNone(t *testing.T) {
	client := open(t, free(""))
	for name, bad := range map[string]struct {
		client  *literllm.Client
		ctx     context.Context
		message string
	}{
		"nil client":   {nil, background, "NewClient"},
		"empty client": {new(literllm.Client), background, "NewClient"},
		"nil context":  {client, nil, "context.Background()"},
	} {
		for range 4 {
			_, chat := bad.client.Chat(bad.ctx, prompt("x"))
			_, multi := bad.client.GenerateMulti(bad.ctx, prompt("x"), []string{"openai"}, 1)
			_, opened := bad.client.OpenStream(bad.ctx, prompt("x"))
			failed := []error{chat, multi, opened}
			for _, err := range bad.client.Stream(bad.ctx, prompt("x")) {
				failed = append(failed, err)
			}
			if bad.client != client {
				_, metrics := bad.client.Metrics(literllm.MetricsJSON)
				failed = append(failed, metrics, bad.client.Close())
			}
			for i, err := range failed {
				if !errors.Is(err, literllm.ErrInvalidRequest) || !strings.Contains(err.Error(), bad.message) {
					t.Errorf("%s, %d: %v", name, i, err)
				}
			}
		}
	}
	ask(t, client, prompt("still here"))
}

func TestAnUnknownProvider(t *testing.T) {
	client := open(t, free(""))
	for _, name := range []string{"nobody", "a\x00b", strings.Repeat("x", 1000)} {
		request := prompt("x")
		request.Options = &literllm.Options{Provider: name}
		if _, err := client.Chat(context.Background(), request); !errors.Is(err, literllm.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAnOptionThatThisBuildLacks(t *testing.T) {
	request := prompt("x")
	request.Options = &literllm.Options{Extra: map[string]any{"baggage": "a=b"}}
	if _, err := open(t, free("")).Chat(context.Background(), request); !errors.Is(err, literllm.ErrUnsupported) {
		t.Error(err)
	}
}

func TestBadConfigurations(t *testing.T) {
	for document, message := range map[string]string{
		"": "empty", "{": "not valid JSON", "[]": "object", "\xff": "UTF-8", `{"colour":1}`: "colour",
		`{"providers":{"openai":{"base_url":"nowhere"}}}`: "base_url",
		`{"providers":{"mine":{"kind":"strange"}}}`:       "kind",
		`{"max_in_flight":0}`:                             "max_in_flight",
	} {
		client, err := literllm.NewClient(literllm.WithConfigJSON([]byte(document)))
		if client != nil || !errors.Is(err, literllm.ErrInvalidRequest) || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v", document, err)
		}
	}
	for _, option := range []literllm.Option{
		nil,
		literllm.WithConfig(literllm.Config{DefaultModel: "\xff"}),
		literllm.WithProvider("\xff"),
		literllm.WithOptions(literllm.Options{Extra: map[string]any{"x": make(chan int)}}),
	} {
		if _, err := literllm.NewClient(option); !errors.Is(err, literllm.ErrInvalidRequest) {
			t.Error(err)
		}
	}
}

func init() {
	children["unreadable"] = func() {
		for range 2 {
			_, err := literllm.Generate("x", 0, -1)
			if !errors.Is(err, literllm.ErrInvalidRequest) || !strings.Contains(err.Error(), "LITER_LLM_CONFIG") {
				panic(err)
			}
		}
	}
}

func TestAnUnreadableEnvironment(t *testing.T) {
	command := child(t, "unreadable", free(""), "LITER_LLM_CONFIG=/nowhere.json")
	if output, err := command.CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("%v %s", err, output)
	}
}
