package literllm_test

import (
	"context"
	"errors"
	"os"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A panic inside the library is an error of kind internal, on every path, and the process goes on.
// Debug builds have an operation that panics. In release builds that operation is unknown.
// TestDebugArchive runs this test with a debug build.
func TestPanic(t *testing.T) {
	want := literllm.ErrUnsupported
	if os.Getenv("LITER_LLM_TEST_PROFILE") == "debug" {
		want = literllm.ErrInternal
	}
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		for range times() {
			if _, err := client.Chat(context.Background(), raw(`{"op":"debug_panic"}`)); !errors.Is(err, want) {
				t.Error(err)
			}
			for _, err := range client.Stream(context.Background(), raw(`{"op":"debug_panic"}`)) {
				if !errors.Is(err, want) {
					t.Error(err)
				}
			}
		}
		ask(t, client, prompt("Hello"))
	})
}
