package literllm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

func TestThirtyMebibytesBothWays(t *testing.T) {
	notShort(t, "large")
	const size = 30 << 20
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("bytes=31457280"), way)
		response, err := client.Chat(context.Background(), prompt("Hello"))
		if err != nil || len(response.Text) != size {
			t.Fatal(err)
		}
		back := prompt(response.Text)
		if response, err = open(t, free(""), way).Chat(context.Background(), back); err != nil ||
			response.Text != "You said: "+back.Prompt {
			t.Fatal(err)
		}
	})
	client := open(t, free("bytes=31457280,chunks=3000"))
	length := 0
	for chunk, err := range client.Stream(context.Background(), prompt("Hello")) {
		if err != nil {
			t.Fatal(err)
		}
		length += len(chunk.Text)
		if chunk.Response != nil && len(chunk.Response.Text) != size {
			t.Error(len(chunk.Response.Text))
		}
	}
	if length != size {
		t.Error(length)
	}
	// A chunk that is larger than the buffer.
	length = 0
	for chunk, err := range open(t, free("bytes=3000000,chunks=2")).Stream(context.Background(), prompt("Hello")) {
		if err != nil {
			t.Fatal(err)
		}
		length += len(chunk.Text)
	}
	if length != 3000000 {
		t.Error(length)
	}
}

func TestTooLarge(t *testing.T) {
	notShort(t, "large")
	_, err := open(t, free("")).Chat(context.Background(), prompt(strings.Repeat("x", 33<<20)))
	if !errors.Is(err, literllm.ErrInvalidRequest) {
		t.Error(err)
	}
}
