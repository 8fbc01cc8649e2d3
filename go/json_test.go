package literllm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// back writes a value as JSON, reads it into another, and writes that. Nothing is lost or changed.
func back[T any](t *testing.T, value T) (read T) {
	t.Helper()
	first, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(first, &read); err != nil {
		t.Errorf("%s: %v", first, err)
		return read
	}
	if second, err := json.Marshal(read); err != nil || string(second) != string(first) {
		t.Errorf("%s\nis not\n%s: %v", second, first, err)
	}
	return read
}

func TestWhatIsPassedThereAndBack(t *testing.T) {
	options := literllm.Options{
		Provider: "openai", Timeout: 30 * time.Second, Idle: 1500 * time.Millisecond,
		Retry: &literllm.Retry{Off: true}, Hedge: &literllm.Hedge{P95: true, Max: 2},
		Limit: &literllm.Limit{Wait: literllm.Ptr(false)}, Extra: map[string]any{"baggage": []int{1}},
	}
	if read := back(t, options); read.Timeout != options.Timeout || read.Idle != options.Idle || !read.Retry.Off {
		t.Errorf("%+v", read)
	}
	request := literllm.ChatRequest{
		Messages: []literllm.Message{literllm.System("Be brief"), {Role: "user", Parts: []literllm.Part{
			literllm.Text("What is it?"), literllm.Image("https://example.com/a.png"),
		}}},
		Stop: []string{"END"}, Seed: literllm.Ptr(int64(math.MaxInt64)), Temperature: literllm.Ptr(1e-7),
		Tools: []literllm.Tool{
			{Type: "function", Function: &literllm.FunctionSpec{Name: "f", Parameters: map[string]any{}}},
			{Type: "web_search", Members: map[string]any{"max_uses": 3}},
		},
		ToolChoice: &literllm.ToolChoice{Function: "f"}, Options: &options,
		Members: map[string]any{"colour": "blue"},
	}
	if read := back(t, request); !reflect.DeepEqual(read.Messages, request.Messages) || len(read.Members) != 1 {
		t.Errorf("%+v", read)
	}
	back(t, literllm.ChatRequest{Prompt: "x", ToolChoice: &literllm.ToolChoice{Mode: "auto"}})
	back(t, literllm.Config{
		Retry: &literllm.Retry{MaxAttempts: 2}, Hedge: &literllm.Hedge{AfterMS: 5}, RetryBudget: &literllm.RetryBudget{Off: true},
		Routes: map[string]literllm.Route{"r": {Targets: []literllm.Target{{Target: "openai", Weight: literllm.Ptr(0)}}}},
	})
	// The contract's short forms.
	var short literllm.ChatRequest
	if err := json.Unmarshal([]byte(`{"stop":"END","options":{"timeout_ms":9223372036854775807}}`), &short); err != nil ||
		len(short.Stop) != 1 || short.Stop[0] != "END" || short.Options.Timeout != math.MaxInt64 {
		t.Errorf("%v %+v", err, short)
	}
	var route literllm.Route
	if err := json.Unmarshal([]byte(`{"targets":["openai",{"target":"cohere/c"}]}`), &route); err != nil ||
		route.Targets[0].Target != "openai" || route.Targets[1].Target != "cohere/c" {
		t.Errorf("%v %+v", err, route)
	}
	var message literllm.Message
	if err := json.Unmarshal([]byte(`{"role":"assistant","reasoning_content":"so"}`), &message); err != nil || message.Reasoning != "so" {
		t.Errorf("%v %+v", err, message)
	}
	for _, wrong := range []any{
		&short, &options, new(literllm.Tool), new(literllm.ToolChoice), new(literllm.Retry), new(literllm.Hedge),
		new(literllm.RetryBudget), new(literllm.Target), new(literllm.Message),
	} {
		if err := json.Unmarshal([]byte(`[7]`), wrong); err == nil {
			t.Errorf("%T is read from a list", wrong)
		}
	}
}

// A member without a field is kept as it was written, and so is a number that no Go type holds.
func TestWhatHasNoFieldIsKept(t *testing.T) {
	const document = `{"prompt":"x","options":{"provider":"a","baggage":{"n":1e400}},"colour":12345678901234567890.10}`
	var request literllm.ChatRequest
	if err := json.Unmarshal([]byte(document), &request); err != nil {
		t.Fatal(err)
	}
	if colour := fmt.Sprintf("%s", request.Members["colour"]); colour != "12345678901234567890.10" {
		t.Error(colour)
	}
	text, err := json.Marshal(request)
	if want := `{"prompt":"x","colour":12345678901234567890.10,"options":{"provider":"a","baggage":{"n":1e400}}}`; err != nil || string(text) != want {
		t.Errorf("%s %v", text, err)
	}
}

// The schemas allow these forms beside the one that is written.
func TestOtherFormsAreRead(t *testing.T) {
	const document = `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":"https://e.com/a.png"}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":null,"function":{"name":"f","arguments":{"a":1.0}}}]}],
		"tool_choice":{"type":"function","name":"f"},"stop":null,"max_tokens":null,"tools":null,"metadata":null}`
	var request literllm.ChatRequest
	if err := json.Unmarshal([]byte(document), &request); err != nil {
		t.Fatal(err)
	}
	image, called := request.Messages[0].Parts[0].ImageURL, request.Messages[1].ToolCalls[0].Function
	if image.URL != "https://e.com/a.png" || called.Arguments != `{"a":1.0}` || request.ToolChoice.Function != "f" {
		t.Errorf("%+v %+v %+v", image, called, request.ToolChoice)
	}
	if request.Stop != nil || request.MaxTokens != 0 || request.Tools != nil || request.Metadata != nil || request.Members != nil {
		t.Errorf("null is not absent: %+v", request)
	}
}

// A document that cannot be read gives an error with the place, and without the text there.
func TestAWrongTypeSaysWhere(t *testing.T) {
	for _, document := range []string{
		`{"prompt":7}`, `{"max_tokens":"secret"}`, `{"stop":[7]}`, `{"messages":{"a":"secret"}}`,
		`{"messages":[{"role":"user","content":[{"type":["secret"]}]}]}`, `{"seed":1.5}`, `{"tool_choice":7}`,
		`{"options":{"retry":true}}`, `{"options":{"hedge":{"after_ms":"secret"}}}`, `{"options":{"strict":"secret"}}`,
		`{"metadata":"secret"}`,
	} {
		var request literllm.ChatRequest
		err := json.Unmarshal([]byte(document), &request)
		if !errors.Is(err, literllm.ErrInvalidRequest) || !strings.Contains(err.Error(), "byte ") ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func TestWhatIsAnsweredThereAndBack(t *testing.T) {
	client := open(t, free(""))
	multi, err := client.GenerateMulti(background, prompt("Hello"), []string{"openai"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if read := back(t, *multi); read.Document() != multi.Document() || read.Results[0].Text != "You said: Hello" {
		t.Error(read)
	}
	if read := back(t, *multi.Results[0]); read.Document() != multi.Results[0].Document() {
		t.Error(read)
	}
	for chunk, err := range client.Stream(background, prompt("Hello")) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(chunk)
		if want := chunk.Document(); err != nil || chunk.Response == nil && string(text) != string(want) ||
			chunk.Response != nil && string(text) != string(chunk.Response.Document()) {
			t.Errorf("%s %v", text, err)
		}
		if read := back(t, chunk); chunk.Response == nil && read.Text != chunk.Text {
			t.Errorf("%+v", read)
		}
	}
	_, err = open(t, scripted("rate_limit")).Chat(background, prompt("x"))
	var failure *literllm.Error
	if !errors.As(err, &failure) {
		t.Fatal(err)
	}
	if read := back(t, failure); read.Document() != failure.Document() || read.RetryAfter != failure.RetryAfter {
		t.Errorf("%+v", read)
	}
	// Those that somebody makes, for tests of their own say.
	answer := literllm.Response{Choices: []literllm.Choice{{Message: literllm.Message{Content: "made"}}}}
	if read := back(t, answer); read.Text != "made" {
		t.Errorf("%+v", read)
	}
	if read := back(t, &literllm.Error{Kind: "quota", Message: "made", RetryAfter: time.Second, Status: 402}); read.Status != 402 {
		t.Errorf("%+v", read)
	}
	made := literllm.Chunk{Choices: []literllm.ChunkChoice{{Delta: literllm.Delta{Content: "made"}}}}
	if read := back(t, made); read.Text != "made" {
		t.Errorf("%+v", read)
	}
}

// A request as JSON has its options in the same document.
func TestRawWithOptionsAsJSON(t *testing.T) {
	for document, want := range map[string]string{
		`{"prompt":"x"}`: `{"prompt":"x","options":{"provider":"a","timeout_ms":7}}`,
		`{ }`:            `{"options":{"provider":"a","timeout_ms":7}}`,
		`{"options":{"provider":"b","region":"eu"}}`: `{"options":{"provider":"b","region":"eu"},` +
			`"options":{"provider":"b","region":"eu","provider":"a","timeout_ms":7}}`,
	} {
		request := raw(document)
		request.Options = &literllm.Options{Provider: "a", Timeout: 7 * time.Millisecond}
		if text, err := json.Marshal(request); err != nil || string(text) != want {
			t.Errorf("%s %v", text, err)
		}
	}
}

// Of two things of which one can be sent, none is dropped in silence.
func TestBothOfTwo(t *testing.T) {
	client := open(t, free(""))
	image := &literllm.ImageURL{URL: "https://example.com/a.png"}
	for name, request := range map[string]*literllm.ChatRequest{
		"content and parts": {Messages: []literllm.Message{{Role: "user", Content: "What is it?",
			Parts: []literllm.Part{literllm.Image("https://example.com/a.png")}}}},
		"text and image": {Messages: []literllm.Message{{Role: "user", Parts: []literllm.Part{{Text: "What is it?", ImageURL: image}}}}},
		"image and file": {Messages: []literllm.Message{{Role: "user", Parts: []literllm.Part{{File: &literllm.File{}, ImageURL: image}}}}},
		"image as text":  {Messages: []literllm.Message{{Role: "user", Parts: []literllm.Part{{Type: "text", ImageURL: image}}}}},
		"text as schema": {Prompt: "x", ResponseFormat: &literllm.ResponseFormat{Type: "text", JSONSchema: &literllm.JSONSchema{}}},
		"raw and prompt": {Raw: json.RawMessage(`{"prompt":"x"}`), Prompt: "y"},
		"raw and tools":  {Raw: json.RawMessage(`{"prompt":"x"}`), Tools: []literllm.Tool{}},
	} {
		_, err := client.Chat(background, request)
		if !errors.Is(err, literllm.ErrInvalidRequest) || !strings.Contains(err.Error(), "not both") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := json.Marshal(request); err == nil {
			t.Errorf("%s is written as JSON", name)
		}
	}
}

// A number that a provider makes up must not lose the answer. A count that not every language can
// hold is absent, and stays where the provider's own words are.
func TestNumbersOutOfRange(t *testing.T) {
	response, err := open(t, scripted("huge")).Chat(background, prompt("x"))
	if err != nil || response.Text != "ok" || response.Usage != nil && response.Usage.PromptTokens != nil ||
		!strings.Contains(string(response.Document()), "18446744073709551615") {
		t.Error(response, err)
	}
}

func TestAnErrorIsANetError(t *testing.T) {
	request := prompt("Hello")
	request.Options = &literllm.Options{Timeout: 20 * time.Millisecond}
	_, err := open(t, scripted("never")).Chat(background, request)
	var failure net.Error
	if !errors.As(err, &failure) || !failure.Timeout() || fmt.Sprint(failure) != err.Error() {
		t.Error(err)
	}
}
