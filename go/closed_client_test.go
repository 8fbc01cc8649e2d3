package literllm_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

func TestAfterClose(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		ask(t, client, prompt("Hello"))
		for range 2 {
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := client.Chat(context.Background(), prompt("Hello")); !errors.Is(err, literllm.ErrCancelled) {
			t.Error(err)
		}
		for _, err := range client.Stream(context.Background(), prompt("Hello")) {
			if !errors.Is(err, literllm.ErrCancelled) {
				t.Error(err)
			}
		}
	})
}

func TestCloseEndsWhatRuns(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=30000"), way)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				_, err := client.Chat(context.Background(), prompt("Hello"))
				if !errors.Is(err, literllm.ErrCancelled) {
					t.Error(err)
				}
			})
			all.Go(func() {
				for _, err := range client.Stream(context.Background(), prompt("Hello")) {
					if !errors.Is(err, literllm.ErrCancelled) {
						t.Error(err)
					}
				}
			})
		}
		openRequests(t, 8)
		client.Close()
		all.Wait()
		openRequests(t, 0)
	})
}

func TestCloseWithin(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free("delay_ms=200"), way)
		before := simulatorStats(t).Requests
		ended := make(chan error)
		go func() {
			_, err := client.Chat(context.Background(), prompt("Hello"))
			ended <- err
		}()
		eventually(t, func() (bool, any) { // it may have been answered already
			s := simulatorStats(t)
			return s.Requests > before, s
		})
		if err := client.CloseWithin(time.Minute); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A client that cannot be reached is freed, but not while it is being used.
func TestAClientThatNobodyClosed(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		ended := make(chan error)
		go func() {
			client, err := literllm.NewClient(literllm.WithConfig(free("delay_ms=200")), way)
			if err == nil {
				_, err = client.Chat(context.Background(), prompt("Hello"))
			}
			ended <- err
		}()
		for {
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
				return
			default:
				runtime.GC()
			}
		}
	})
}
