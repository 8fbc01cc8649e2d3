package literllm_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A goroutine that ends while it is locked to its thread ends that thread too. Its requests go on
// or are collected, and other goroutines notice nothing. (Nothing can end a goroutine from
// outside.)
func TestThreadsThatEnd(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, withFast(free("chunks=3000,interval_ms=10")), way)
		ask(t, client, fast("warm"))
		before := 0
		for round := range times() {
			var all sync.WaitGroup
			kept := make([]*literllm.ChatStream, 10)
			for i := range kept {
				all.Go(func() {
					runtime.LockOSThread() // and never unlocks
					ask(t, client, fast("Hello"))
					stream, err := client.OpenStream(context.Background(), prompt("Hello"))
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := stream.Next(); err != nil {
						t.Error(err)
					}
					if i%2 == 0 {
						kept[i] = stream
					}
					if i%3 == 0 {
						for range client.Stream(context.Background(), prompt("Hello")) {
							runtime.Goexit()
						}
					}
				})
			}
			all.Wait()
			for i := 0; i < len(kept); i += 2 { // read on by another goroutine
				if _, err := kept[i].Next(); err != nil {
					t.Error(err)
				}
				kept[i].Close()
			}
			kept = nil
			ask(t, client, fast("after"))
			if round == 2 {
				before = threads(t)
			}
		}
		eventually(t, func() (bool, any) {
			runtime.GC()
			s := simulatorStats(t)
			return s.RequestsOpen == 0, s
		})
		fewThreads(t, before, 8)
	})
}
