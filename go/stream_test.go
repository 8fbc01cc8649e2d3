package literllm_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

func TestStream(t *testing.T) {
	client := open(t, free("chunks=50,bytes=5000"))
	for range 5 { // queues are used again
		var text strings.Builder
		var response *literllm.Response
		chunks := 0
		for chunk, err := range client.Stream(context.Background(), prompt("Hello")) {
			if err != nil {
				t.Fatal(err)
			}
			if response != nil {
				t.Fatal("a chunk behind the last")
			}
			if chunk.Text != "" {
				chunks++
			}
			if first := chunk.Choices[0].Delta.Content; first != chunk.Text { // of every chunk, the last one too
				t.Errorf("%q is not %q", first, chunk.Text)
			}
			text.WriteString(chunk.Text)
			response = chunk.Response
		}
		if chunks != 50 || text.Len() != 5000 || response == nil || response.Text != text.String() ||
			*response.Usage.CompletionTokens == 0 || response.Choices[0].FinishReason != literllm.Stop {
			t.Fatalf("%d chunks, %d bytes, %+v", chunks, text.Len(), response)
		}
	}
}

func TestAChunksTextIsTheFirstChoices(t *testing.T) {
	client := open(t, scripted("two_choices"))
	request := prompt("Hello")
	request.N = 2
	var text string
	for chunk, err := range client.Stream(context.Background(), request) {
		if err != nil {
			t.Fatal(err)
		}
		text += chunk.Text
		if chunk.Response != nil && chunk.Response.Choices[1].Message.Content != "nope" {
			t.Errorf("%+v", chunk.Response)
		}
	}
	if text != "yes" {
		t.Error(text)
	}
}

func TestAStreamOfToolCalls(t *testing.T) {
	client := open(t, free(""))
	request := &literllm.ChatRequest{Prompt: "Use the tool", Tools: []literllm.Tool{{
		Function: &literllm.FunctionSpec{Name: "weather", Parameters: map[string]any{"type": "object"}},
	}}}
	var name, arguments strings.Builder
	var response *literllm.Response
	for chunk, err := range client.Stream(context.Background(), request) {
		if err != nil {
			t.Fatal(err)
		}
		for _, choice := range chunk.Choices {
			for _, call := range choice.Delta.ToolCalls {
				name.WriteString(call.Function.Name)
				arguments.WriteString(call.Function.Arguments)
			}
		}
		response = chunk.Response
	}
	call := response.Choices[0].Message.ToolCalls[0]
	if call.Function.Name != name.String() || call.Function.Arguments != arguments.String() || name.String() != "weather" {
		t.Errorf("%+v, %s %s", call, name.String(), arguments.String())
	}
}

func TestEachRangeIsARequest(t *testing.T) {
	client := open(t, free(""))
	before := simulatorStats(t).Requests
	stream := client.Stream(context.Background(), prompt("Hello"))
	for range 2 {
		for _, err := range stream {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if requests := simulatorStats(t).Requests - before; requests != 2 {
		t.Errorf("%d requests", requests)
	}
}

func TestOpenStream(t *testing.T) {
	client := open(t, free("chunks=3"))
	stream, err := client.OpenStream(context.Background(), prompt("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if response, err := stream.Response(); response != nil || !errors.Is(err, literllm.ErrInvalidRequest) ||
		!strings.Contains(err.Error(), "has not ended") {
		t.Error(response, err)
	}
	for {
		if _, err = stream.Next(); err != nil {
			break
		}
	}
	if _, again := stream.Next(); err != io.EOF || again != io.EOF {
		t.Error(err, again)
	}
	if response, err := stream.Response(); err != nil || response.Text != "You said: Hello" {
		t.Error(response, err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

func TestABrokenStream(t *testing.T) {
	client := open(t, scripted("broken_stream"))
	texts := ""
	var last error
	for chunk, err := range client.Stream(context.Background(), prompt("Hello")) {
		texts += chunk.Text
		last = err
	}
	var failure *literllm.Error
	if !errors.As(last, &failure) || !errors.Is(last, literllm.ErrStreamBroken) ||
		failure.Partial == nil || failure.Partial.Text != "Hel" || texts != "Hel" {
		t.Errorf("%q %v", texts, last)
	}
}

func TestAStreamThatCannotBegin(t *testing.T) {
	client := open(t, scripted("bad_key"))
	n := 0
	for chunk, err := range client.Stream(context.Background(), prompt("Hello")) {
		n++
		if !errors.Is(err, literllm.ErrAuthentication) || chunk.Response != nil {
			t.Error(chunk, err)
		}
	}
	if n != 1 {
		t.Errorf("%d items", n)
	}
}
