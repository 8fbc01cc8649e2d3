package literllm_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// flat runs work until caches are warm, then again: 16 MiB (what the C allocator keeps varies), 16
// descriptors, and no goroutine or thread to speak of are allowed.
func flat(t *testing.T, times int, work func()) {
	t.Helper()
	notShort(t, "its memory is not the program's under the race detector")
	collect := func() {
		for range 3 { // what a cleanup frees may hold more
			debug.FreeOSMemory()
		}
	}
	for range times {
		work()
	}
	collect()
	memory, open, goroutines, running := resident(t), descriptors(t), runtime.NumGoroutine(), threads(t)
	for range 2 * times {
		work()
	}
	eventually(t, func() (bool, any) {
		collect()
		grown := []int{resident(t) - memory, descriptors(t) - open, runtime.NumGoroutine() - goroutines,
			threads(t) - running}
		return grown[0] < 16<<20 && grown[1] <= 16 && grown[2] <= 4 && grown[3] <= 4, grown
	})
}

func TestLeavingStreamsLeaksNothing(t *testing.T) {
	client := open(t, free("chunks=3000,interval_ms=10"))
	flat(t, times(), func() {
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for _, err := range client.Stream(context.Background(), prompt("Hello")) {
					if err != nil {
						t.Error(err)
					}
					break
				}
				stream, err := client.OpenStream(context.Background(), prompt("Hello"))
				if err != nil {
					t.Error(err)
				} else if _, err := stream.Next(); err != nil { // and nobody closes it
					t.Error(err)
				}
			})
		}
		all.Wait()
		eventually(t, func() (bool, any) { // else they go on until the next collection
			runtime.GC()
			s := simulatorStats(t)
			return s.RequestsOpen == 0, s
		})
	})
}

func TestCancelledCallsLeakNothing(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=1000"), way)
		flat(t, times(), func() {
			ctx, cancel := context.WithCancel(context.Background())
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if _, err := client.Chat(ctx, prompt("Hello")); !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				})
			}
			cancel()
			all.Wait()
		})
	})
}

func TestClientsLeakNothing(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		flat(t, times(), func() {
			for i := range 5 {
				client, err := literllm.NewClient(literllm.WithConfig(free("")), way)
				if err != nil {
					t.Fatal(err)
				}
				ask(t, client, prompt("Hello"))
				if i%2 == 0 {
					client.Close()
				}
			}
		})
	})
}

func TestLargeAnswersLeakNothing(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("bytes=3000000"), way)
		flat(t, times()/2, func() {
			if response, err := client.Chat(context.Background(), prompt("Hello")); err != nil || len(response.Text) != 3000000 {
				t.Error(err)
			}
		})
	})
}

func TestErrorsLeakNothing(t *testing.T) {
	client := open(t, free(""))
	flat(t, times(), func() {
		for range 100 {
			if _, err := client.Chat(context.Background(), raw("[]")); err == nil {
				t.Error("no error")
			}
		}
	})
}
