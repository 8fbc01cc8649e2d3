package literllm_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"runtime"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// soon is within what time a provider sees that its stream was dropped.
const soon = 100 * time.Millisecond

// An endlessProvider answers each request with one chunk, never ends, and tells when its socket closes.
func endlessProvider(t *testing.T) (literllm.Config, <-chan time.Time) {
	t.Helper()
	event := `data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}` + "\n\n"
	answer := "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" +
		fmt.Sprintf("%x\r\n%s\r\n", len(event), event)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	closed := make(chan time.Time, 100)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				buffer := make([]byte, 1<<16)
				if _, err := connection.Read(buffer); err == nil {
					_, err = connection.Write([]byte(answer))
					for err == nil {
						_, err = connection.Read(buffer)
					}
				}
				closed <- time.Now()
			}()
		}
	}()
	return literllm.Config{
		Providers: map[string]literllm.Provider{"openai": {
			BaseURL: "http://" + listener.Addr().String() + "/v1", APIKey: "sk-test", Model: "m"}},
		DefaultProvider: "openai",
	}, closed
}

// begun is a stream at its first chunk.
func begun(t *testing.T, ctx context.Context, client *literllm.Client) *literllm.ChatStream {
	t.Helper()
	stream, err := client.OpenStream(ctx, prompt("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	if chunk, err := stream.Next(); err != nil || chunk.Text != "Hel" {
		t.Fatal(chunk, err)
	}
	return stream
}

// TestAStreamDroppedHalfway drops a stream in every way. Its provider sees that at once.
func TestAStreamDroppedHalfway(t *testing.T) {
	background := context.Background()
	ways := map[string]func(t *testing.T, client *literllm.Client){
		"break": func(t *testing.T, client *literllm.Client) {
			for _, err := range client.Stream(background, prompt("Hello")) {
				if err != nil {
					t.Error(err)
				}
				break
			}
		},
		"panic": func(t *testing.T, client *literllm.Client) {
			defer func() { _ = recover() }()
			for range client.Stream(background, prompt("Hello")) {
				panic("on purpose")
			}
		},
		"pull": func(t *testing.T, client *literllm.Client) {
			next, stop := iter.Pull2(client.Stream(background, prompt("Hello")))
			next()
			stop()
		},
		"close": func(t *testing.T, client *literllm.Client) { begun(t, background, client).Close() },
		"close in next": func(t *testing.T, client *literllm.Client) {
			stream := begun(t, background, client)
			ended := make(chan error)
			go func() {
				_, err := stream.Next()
				ended <- err
			}()
			stream.Close()
			if err := <-ended; err == nil {
				t.Error("a chunk after Close")
			}
		},
		"context between": func(t *testing.T, client *literllm.Client) {
			ctx, cancel := context.WithCancel(background)
			stream := begun(t, ctx, client)
			t.Cleanup(func() { stream.Close() })
			cancel()
		},
		"context in next": func(t *testing.T, client *literllm.Client) {
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			for _, err := range client.Stream(ctx, prompt("Hello")) {
				if err != nil {
					return
				}
				time.AfterFunc(time.Millisecond, cancel)
			}
		},
		"context in result": func(t *testing.T, client *literllm.Client) {
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			stream, err := client.OpenStream(ctx, prompt("Hello"))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(20*time.Millisecond, cancel)
			if response, err := stream.Result(); err == nil {
				t.Error(response)
			}
		},
		"forgotten": func(t *testing.T, client *literllm.Client) {
			begun(t, background, client)
			runtime.GC()
		},
		"forgotten with a context": func(t *testing.T, client *literllm.Client) {
			ctx, cancel := context.WithCancel(background)
			t.Cleanup(cancel)
			begun(t, ctx, client)
			runtime.GC()
		},
	}
	for name, drop := range ways {
		t.Run(name, func(t *testing.T) {
			config, closed := endlessProvider(t)
			client := open(t, config)
			best := time.Hour
			// The machine may be busy once, but not each time.
			for n := 0; n < 5 && best >= soon; n++ {
				drop(t, client)
				dropped := time.Now()
				collecting := time.NewTicker(10 * time.Millisecond)
				for waits := true; waits; {
					select {
					case at := <-closed:
						best, waits = min(best, at.Sub(dropped)), false
					case <-collecting.C:
						if name[0] == 'f' {
							runtime.GC()
						}
					case <-time.After(30 * time.Second):
						t.Fatal("the socket stays open")
					}
				}
				collecting.Stop()
			}
			if best >= soon {
				t.Errorf("closed after %v", best)
			}
		})
	}
}
