package literllm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// flat runs work until a round of it leaves nothing behind. It allows 16 MiB (the C allocator's
// cache varies), 16 descriptors, and hardly a goroutine or thread. Caches fill, and the allocator
// takes an arena for each thread, so that the first rounds may grow. A leak grows with every round.
func flat(t *testing.T, times int, work func()) {
	t.Helper()
	notShort(t, "its memory is not the program's under the race detector")
	const rounds = 12
	limits := []int{16, 4, 4}
	for range times {
		work()
	}
	before := left(t)
	memory := collected(t)
	var grown int
	for range rounds {
		for range 2 * times {
			work()
		}
		// What nobody closed is collected and closed by others, in their own time.
		eventually(t, func() (bool, any) {
			now := left(t)
			for i, limit := range limits {
				if now[i]-before[i] >= limit {
					collected(t)
					return false, fmt.Sprintf("descriptors, goroutines, threads: %v, %v before", now, before)
				}
			}
			return true, nil
		})
		now := collected(t)
		if grown = now - memory; grown < 16<<20 {
			return
		}
		memory = now
	}
	t.Fatalf("the last of %d rounds left %d bytes", rounds, grown)
}

// left counts what a round may leave open.
func left(t *testing.T) []int {
	return []int{descriptors(t), runtime.NumGoroutine(), threads(t)}
}

// collected is the process's memory after a collection: what a cleanup frees may hold more.
func collected(t *testing.T) int {
	for range 3 {
		debug.FreeOSMemory()
	}
	return resident(t)
}

func init() {
	children["no_descriptors"] = func() {
		limit := syscall.Rlimit{Cur: 200, Max: 200}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			panic(err)
		}
		client, err := literllm.NewClient()
		if err != nil {
			panic(err)
		}
		var files []*os.File
		take := func() {
			for {
				file, err := os.Open("/dev/null")
				if err != nil {
					return
				}
				files = append(files, file)
			}
		}
		give := func() {
			for _, file := range files {
				file.Close()
			}
			files = nil
		}
		check := func(err error) {
			var failure *literllm.Error
			if !errors.As(err, &failure) || failure.Kind != literllm.ErrConnection || !failure.Retryable {
				panic(err)
			}
			if !strings.Contains(failure.Message, "ulimit -n") {
				panic(err)
			}
		}
		take() // before the engine's threads have started
		_, err = client.Chat(background, prompt("Hello"))
		check(err)
		give()
		ask(childTest{}, client, prompt("warm"))
		take()
		for range 2 { // the queue's descriptor lacks, and its double
			_, err = client.OpenStream(background, prompt("Hello"))
			check(err)
			files[0].Close()
			files = files[1:]
		}
		give()
		ask(childTest{}, client, prompt("Hello"))
		for _, err := range client.Stream(background, prompt("Hello")) {
			if err != nil {
				panic(err)
			}
		}
	}
}

// Without a descriptor a request fails and says why. With one, the next request succeeds.
func TestNoDescriptors(t *testing.T) {
	if output, err := child(t, "no_descriptors", free("")).CombinedOutput(); err != nil {
		t.Errorf("%v %s", err, output)
	}
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
		eventually(t, func() (bool, any) { // otherwise they go on until the next collection
			runtime.GC()
			s := simulatorStats(t)
			return s.RequestsOpen == 0, s
		})
	})
}

func TestCancelledCallsLeakNothing(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=30000"), way)
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
