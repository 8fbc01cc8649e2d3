package literllm_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A watcher writes down how calls end.
type watcher struct {
	mutex sync.Mutex
	ends  []string
	sends literllm.Tracing
	looks bool
}

func (w *watcher) Begin(context.Context, []byte) literllm.Observation {
	if !w.looks {
		return nil
	}
	return watched{w}
}

type watched struct{ *watcher }

func (w watched) Sends() literllm.Tracing { return w.sends }

func (w watched) End(document string, err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	end := "answer"
	if err != nil {
		end = "error"
	}
	if strings.Contains(document, `"trace":{`) {
		end += " with a trace"
	}
	w.ends = append(w.ends, end)
}

func (w *watcher) said() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	said := w.ends
	w.ends = nil
	return said
}

func TestAnObserverSeesTheEndOfEachCall(t *testing.T) {
	w := &watcher{looks: true, sends: literllm.Tracing{Telemetry: true}}
	client := open(t, free("chunks=50,delay_ms=5"), literllm.WithObserver(w))
	ask := &literllm.ChatRequest{Prompt: "Hi"}
	if _, err := client.Chat(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	equal(t, w.said(), []string{"answer with a trace"})
	refused := open(t, scripted("bad_key"), literllm.WithObserver(w))
	if _, err := refused.Chat(t.Context(), ask); err == nil {
		t.Fatal("answered")
	}
	equal(t, w.said(), []string{"error with a trace"})
	for range client.Stream(t.Context(), ask) {
		break
	}
	equal(t, len(w.said()), 1)
	func() {
		stream, err := client.OpenStream(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = stream.Next()
	}()
	for len(w.said()) == 0 {
		runtime.GC()
	}
	w.looks = false
	answer, err := client.Chat(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, len(w.said()), 0)
	equal(t, answer.Liter.Trace == nil, true)
}

func TestANilObserverIsRefused(t *testing.T) {
	if _, err := literllm.NewClient(literllm.WithObserver(nil)); err == nil {
		t.Error("taken")
	}
}
