package literllm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

func inFlight(t *testing.T, client *literllm.Client) string {
	t.Helper()
	document, err := client.Metrics(literllm.MetricsJSON)
	if err != nil {
		t.Fatal(err)
	}
	return document[:len(`{"in_flight":0`)]
}

// nothingLeft waits until the simulator has lost every request, and checks that no call waits.
func nothingLeft(t *testing.T, client *literllm.Client) {
	t.Helper()
	openRequests(t, 0)
	eventually(t, func() (bool, any) {
		counted := inFlight(t, client)
		return counted == `{"in_flight":0` && literllm.Pending() == 0, fmt.Sprint(counted, literllm.Pending())
	})
}

func TestACancelledContext(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=30000"), way)
		mine := errors.New("my own reason")
		ctx, cancel := context.WithCancelCause(context.Background())
		ended := make(chan error)
		go func() {
			_, err := client.Chat(ctx, prompt("Hello"))
			ended <- err
		}()
		openRequests(t, 1)
		cancel(mine)
		err := <-ended
		if !errors.Is(err, context.Canceled) || !errors.Is(err, literllm.ErrCancelled) || !errors.Is(err, mine) ||
			errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		nothingLeft(t, client)
	})
}

func TestAContextThatIsOver(t *testing.T) {
	client := open(t, free(""))
	before := simulatorStats(t).Requests
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	for ctx, want := range map[context.Context]error{cancelled: context.Canceled, late: context.DeadlineExceeded} {
		if _, err := client.Chat(ctx, prompt("Hello")); !errors.Is(err, want) {
			t.Error(err)
		}
		for _, err := range client.Stream(ctx, prompt("Hello")) {
			if !errors.Is(err, want) {
				t.Error(err)
			}
		}
	}
	if after := simulatorStats(t).Requests; after != before {
		t.Error("something was sent")
	}
}

// The engine knows the deadline, so it ends the request itself.
func TestADeadline(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=30000"), way)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := client.Chat(ctx, prompt("Hello"))
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, literllm.ErrTimeout) {
			t.Error(err)
		}
		nothingLeft(t, client)
		// The earlier of the two counts.
		ctx, cancel = context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		request := prompt("Hello")
		request.Options = &literllm.Options{Timeout: 20 * time.Millisecond}
		if _, err = client.Chat(ctx, request); !errors.Is(err, literllm.ErrTimeout) || ctx.Err() != nil {
			t.Error(err)
		}
	})
}

// A deadline that is as good as none still has milliseconds that are a number.
func TestDeadlinesFarAway(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		for _, deadline := range []time.Time{
			time.Now().Add(math.MaxInt64), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
		} {
			ctx, cancel := context.WithDeadline(context.Background(), deadline)
			defer cancel()
			if _, err := client.Chat(ctx, prompt("Hello")); err != nil {
				t.Error(deadline, err)
			}
		}
		request := prompt("Hello")
		request.Options = &literllm.Options{Timeout: math.MaxInt64, Idle: math.MaxInt64}
		ask(t, client, request)
	})
}

// The engine's timer and the context's race for the same moment. Whichever wins, the context is
// over, and the error has its cause.
func TestADeadlinesCause(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=30000"), way)
		mine := errors.New("my own reason")
		check := func(ctx context.Context, err error) {
			var failure *literllm.Error
			if !errors.Is(err, mine) || !errors.Is(err, context.DeadlineExceeded) || ctx.Err() == nil ||
				!errors.As(err, &failure) || failure.Kind != "timeout" || !failure.Retryable {
				t.Errorf("%v: %v", ctx.Err(), err)
			}
		}
		var all sync.WaitGroup
		for i := range 10 * times() {
			all.Go(func() {
				ctx, cancel := context.WithTimeoutCause(context.Background(), time.Duration(i%20)*time.Millisecond, mine)
				defer cancel()
				if i%2 == 0 {
					_, err := client.Chat(ctx, prompt("Hello"))
					check(ctx, err)
				} else {
					for _, err := range client.Stream(ctx, prompt("Hello")) {
						check(ctx, err)
					}
				}
			})
		}
		all.Wait()
	})
}

func TestFiveThousandDeadlines(t *testing.T) {
	client := open(t, free("delay_ms=30000"))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	_, _ = client.Chat(ctx, prompt("warm"))
	cancel()
	goroutines, before := runtime.NumGoroutine(), threads(t)
	var most atomic.Int64
	var all sync.WaitGroup
	for i := range 5000 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
			defer cancel()
			if _, err := client.Chat(ctx, prompt("Hello")); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			if i%500 == 0 {
				most.Store(max(most.Load(), int64(threads(t))))
			}
		})
	}
	all.Wait()
	nothingLeft(t, client)
	eventually(t, func() (bool, any) {
		now := runtime.NumGoroutine()
		return now <= goroutines+4, fmt.Sprint(goroutines, " goroutines, then ", now)
	})
	if grown := int(most.Load()) - before; grown > 12+runtime.GOMAXPROCS(0) {
		t.Errorf("%d threads more than %d", grown, before)
	}
}

// Requests are cancelled at every stage: before, while and after the answer comes. Meanwhile the
// garbage collector moves what can be moved.
func TestACancelStorm(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=2"), way)
		stop := make(chan struct{})
		var collector sync.WaitGroup
		collector.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		})
		for round := range times() {
			var all sync.WaitGroup
			for i := range 50 {
				ctx, cancel := context.WithCancel(context.Background())
				all.Go(func() {
					defer cancel()
					text := fmt.Sprint(i)
					response, err := client.Chat(ctx, prompt(text))
					switch {
					case err == nil && response.Text != "You said: "+text:
						t.Errorf("%q for %s", response.Text, text)
					case err != nil && (i%2 == 1 || !errors.Is(err, context.Canceled)):
						t.Error(i, err)
					}
				})
				if i%2 == 0 {
					time.AfterFunc(time.Duration(round*i)*time.Microsecond*5, cancel)
				}
			}
			all.Wait()
		}
		close(stop)
		collector.Wait()
		nothingLeft(t, client)
		ask(t, client, prompt("after"))
	})
}

// A request that has ended takes no place any more. So one after another is never one too many,
// also if each is left or cancelled.
func TestOneAfterAnother(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		config := withFast(free("delay_ms=30000"))
		config.MaxInFlight = 1
		client := open(t, config, way)
		for i := range 5 * times() {
			ask(t, client, fast("Hello"))
			for _, err := range client.Stream(background, fast("Hello")) {
				if err != nil {
					t.Fatal("left: ", err)
				}
				break
			}
			ctx, cancel := context.WithCancel(background)
			time.AfterFunc(time.Duration(i%5)*time.Millisecond/2, cancel)
			if _, err := client.Chat(ctx, prompt("Hello")); !errors.Is(err, context.Canceled) {
				t.Fatal("cancelled: ", err)
			}
			stream, err := client.OpenStream(background, prompt("Hello"))
			if err != nil {
				t.Fatal("closed: ", err)
			}
			stream.Close()
		}
		ask(t, client, fast("Hello"))
	})
}

func TestLeavingARange(t *testing.T) {
	client := open(t, free("chunks=3000,interval_ms=10"))
	for range 3 {
		for _, err := range client.Stream(context.Background(), prompt("Hello")) {
			if err != nil {
				t.Fatal(err)
			}
			openRequests(t, 1)
			break
		}
		nothingLeft(t, client)
	}
}

func TestACancelledStream(t *testing.T) {
	client := open(t, free("chunks=3000,interval_ms=10"))
	ctx, cancel := context.WithCancel(context.Background())
	chunks := 0
	var last error
	for chunk, err := range client.Stream(ctx, prompt("Hello")) {
		if last = err; err == nil {
			if chunk.Text != "" {
				chunks++
			}
			if chunks == 3 {
				cancel()
			}
		}
	}
	var failure *literllm.Error
	if !errors.As(last, &failure) || !errors.Is(last, context.Canceled) || failure.Kind != "cancelled" {
		t.Error(last)
	}
	nothingLeft(t, client)

	ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	for _, err := range client.Stream(ctx, prompt("Hello")) {
		last = err
	}
	if !errors.Is(last, context.DeadlineExceeded) {
		t.Error(last)
	}
	nothingLeft(t, client)
}

func TestClosingAStreamWhileAnotherGoroutineReadsIt(t *testing.T) {
	client := open(t, free("delay_ms=30000"))
	stream, err := client.OpenStream(context.Background(), prompt("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := stream.Next()
		ended <- err
	}()
	openRequests(t, 1)
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, literllm.ErrCancelled) {
		t.Error(err)
	}
	if _, err := stream.Next(); !errors.Is(err, literllm.ErrCancelled) {
		t.Error(err)
	}
	nothingLeft(t, client)
}

func TestAStreamThatNobodyClosed(t *testing.T) {
	client := open(t, free("chunks=3000,interval_ms=10"))
	alive, cancel := context.WithCancel(context.Background())
	defer cancel()
	var streams []*literllm.ChatStream
	for _, ctx := range []context.Context{context.Background(), alive} {
		stream, err := client.OpenStream(ctx, prompt("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Next(); err != nil {
			t.Fatal(err)
		}
		streams = append(streams, stream)
	}
	openRequests(t, 2)
	runtime.KeepAlive(streams) // a collection must not come before both are seen
	eventually(t, func() (bool, any) {
		runtime.GC()
		s := simulatorStats(t)
		return s.RequestsOpen == 0, s
	})
}

func TestAStormOfStreams(t *testing.T) {
	client := open(t, free("chunks=20,interval_ms=1"))
	for round := range times() {
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				n := 0
				for chunk, err := range client.Stream(ctx, prompt("Hello")) {
					if n++; err != nil {
						if !errors.Is(err, context.Canceled) {
							t.Error(err)
						}
						break
					}
					if i%3 == 0 && n == round%20 {
						break
					}
					if i%3 == 1 && n == round%20 {
						cancel()
					}
					if chunk.Response != nil && chunk.Response.Text == "" {
						t.Error("an empty answer")
					}
				}
			})
		}
		all.Wait()
	}
	nothingLeft(t, client)
}
