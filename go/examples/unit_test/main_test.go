// A unit test with a fake: no network, no key. What is tested takes an interface of its own.
//
// Answers and errors are plain structs, as the engine gives them.
package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A chatter is what summary needs. A *literllm.Client is one.
type chatter interface {
	Chat(context.Context, *literllm.ChatRequest) (*literllm.Response, error)
}

var _ chatter = (*literllm.Client)(nil)

// summary is under test: a summary, or the text's begin while the provider is too busy.
func summary(ctx context.Context, client chatter, text string) (string, error) {
	response, err := client.Chat(ctx, &literllm.ChatRequest{Prompt: "Summarize: " + text, MaxTokens: 50})
	if errors.Is(err, literllm.ErrRateLimit) {
		return text[:min(len(text), 20)] + "…", nil
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(response.Text), nil
}

// A fake answers as it is told.
type fake func(*literllm.ChatRequest) (*literllm.Response, error)

func (f fake) Chat(_ context.Context, request *literllm.ChatRequest) (*literllm.Response, error) {
	return f(request)
}

func TestTheAnswerIsTrimmed(t *testing.T) {
	client := fake(func(request *literllm.ChatRequest) (*literllm.Response, error) {
		return &literllm.Response{Text: " Short: " + request.Prompt + " "}, nil
	})
	if text, err := summary(t.Context(), client, "A long text"); text != "Short: Summarize: A long text" {
		t.Error(text, err)
	}
}

func TestFailures(t *testing.T) {
	for kind, expected := range map[literllm.Kind]string{"rate_limit": "A text of many words…", "quota": ""} {
		client := fake(func(*literllm.ChatRequest) (*literllm.Response, error) {
			return nil, &literllm.Error{Kind: kind, Message: "not now"}
		})
		text, err := summary(t.Context(), client, "A text of many words and more")
		if text != expected || (err == nil) != (text != "") {
			t.Error(kind, text, err)
		}
	}
}
