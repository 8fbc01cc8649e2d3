package literllm_test

import (
	"errors"
	"math"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A view has further options and the same client behind it.
func TestAViewOfAClient(t *testing.T) {
	config := free("")
	beside(config, "slow", free("delay_ms=30000"))
	client := open(t, config, literllm.WithOptions(literllm.Options{
		Timeout: time.Minute, Extra: map[string]any{"retry": false},
	}))
	view, err := client.WithOptions(literllm.Options{Provider: "slow", Timeout: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = view.Chat(background, prompt("Hello"))
	var failure *literllm.Error
	if !errors.As(err, &failure) || failure.Kind != "timeout" || len(failure.Attempts) != 1 {
		t.Error(err)
	}
	own := prompt("Hello")
	own.Options = &literllm.Options{Provider: "openai", Timeout: time.Minute}
	ask(t, view, own)
	ask(t, client, prompt("Hello")) // as it was
	further, err := view.WithOptions(literllm.Options{Provider: "openai", Extra: map[string]any{"timeout_ms": 60000}})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, further, prompt("Hello"))
	if _, err := client.WithOptions(literllm.Options{Extra: map[string]any{"x": math.NaN()}}); !errors.Is(err, literllm.ErrInvalidRequest) {
		t.Error(err)
	}
	if _, err := new(literllm.Client).WithOptions(literllm.Options{}); !errors.Is(err, literllm.ErrInvalidRequest) {
		t.Error(err)
	}
	equal(t, []bool{client.Closed(), view.Closed(), new(literllm.Client).Closed()}, []bool{false, false, false})
	view.Close()
	equal(t, []bool{client.Closed(), view.Closed()}, []bool{true, true})
	if _, err := client.Chat(background, prompt("Hello")); !errors.Is(err, literllm.ErrCancelled) {
		t.Error(err)
	}
}

func TestCounters(t *testing.T) {
	config := scripted("overloaded")
	beside(config, "fast", free(""))
	client := open(t, config)
	ask(t, client, fast("Hello"))
	if _, err := client.Chat(background, prompt("Hello")); !errors.Is(err, literllm.ErrUnavailable) {
		t.Error(err)
	}
	counters, err := client.Counters()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, counters.InFlight, 0)
	equal(t, counters.Providers["fast"].Calls, int64(1))
	equal(t, counters.Providers["openai"].Errors, map[literllm.Kind]int64{"unavailable": 1})
	equal(t, len(counters.Targets), 2)
	for _, target := range counters.Targets {
		equal(t, []any{target.Breaker, target.Attempts}, []any{"closed", int64(1)})
	}
	client.Close()
	if _, err := new(literllm.Client).Counters(); !errors.Is(err, literllm.ErrInvalidRequest) {
		t.Error(err)
	}
}
