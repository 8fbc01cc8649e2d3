package literllm_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A watcher writes down how calls end.
type watcher struct {
	mutex  sync.Mutex
	ends   []string
	sends  literllm.Tracing
	looks  bool
	panics string // where
}

func (w *watcher) Begin(context.Context, []byte) literllm.Observation {
	w.panic("Begin")
	if !w.looks {
		return nil
	}
	return watched{w}
}

func (w *watcher) panic(where string) {
	if w.panics == where {
		panic("an observer, in " + where)
	}
}

type watched struct{ *watcher }

func (w watched) Sends() literllm.Tracing {
	w.panic("Sends")
	return w.sends
}

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
	w.panic("End")
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

// Nothing that an observer does fails a call, or ends the process.
func TestAnObserverThatPanics(t *testing.T) {
	for where, ends := range map[string]int{"Begin": 0, "Sends": 5, "End": 5} {
		w := &watcher{looks: true, panics: where}
		client := open(t, free("chunks=50,delay_ms=5"), literllm.WithObserver(w))
		ask := &literllm.ChatRequest{Prompt: "Hi"}
		if _, err := client.Chat(t.Context(), ask); err != nil {
			t.Error(where, err)
		}
		for _, err := range client.Stream(t.Context(), ask) {
			if err != nil {
				t.Error(where, err)
			}
			break
		}
		refused := open(t, scripted("bad_key"), literllm.WithObserver(w))
		if _, err := refused.Chat(t.Context(), ask); !errors.Is(err, literllm.ErrAuthentication) {
			t.Error(where, err)
		}
		closed := open(t, free(""), literllm.WithObserver(w))
		closed.Close()
		if _, err := closed.OpenStream(t.Context(), ask); err == nil {
			t.Error(where, "a stream of a closed client")
		}
		stream, err := client.OpenStream(t.Context(), ask)
		if err != nil {
			t.Fatal(where, err)
		}
		if answer, err := stream.Result(); err != nil || answer.Text == "" {
			t.Error(where, err)
		}
		stream.Close()
		func() {
			stream, err := client.OpenStream(t.Context(), ask)
			if err != nil {
				t.Fatal(where, err)
			}
			_, _ = stream.Next()
		}()
		for seen := 0; seen < ends; seen += len(w.said()) {
			runtime.GC()
		}
	}
}

func TestWhatAsksNoProviderIsNotObserved(t *testing.T) {
	w := &watcher{looks: true}
	config := free("")
	config.Budgets = map[string]literllm.Spending{"all": {USD: "1", Window: "total"}}
	client := open(t, config, literllm.WithObserver(w))
	if _, err := client.Budget(t.Context(), "all", ""); err != nil {
		t.Error(err)
	}
	if _, err := client.PurgeCache(t.Context(), "ann"); !errors.Is(err, literllm.ErrUnsupported) {
		t.Error(err)
	}
	equal(t, len(w.said()), 0)
}
