package literllm_test

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// closing is a server that rests up to 3 ms after each answer, and closes the connection.
func closing() literllm.Config {
	config := free("close_us=3000")
	config.Retry = &literllm.Retry{Off: true}
	return config
}

// sixteen does the work 1,000 times in all, or 10,000 times with LITER_LLM_LONG=1.
func sixteen(t *testing.T, work func() (string, error)) {
	t.Helper()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range times() * 50 / 16 {
				if text, err := work(); err != nil || text != "You said: Hello" {
					t.Errorf("%q, %v", text, err)
				}
			}
		})
	}
	all.Wait()
}

func TestAConnectionThatIsClosedJustThenCostsNoCall(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, closing(), way)
		sixteen(t, func() (string, error) {
			response, err := client.Chat(background, prompt("Hello"))
			if err != nil {
				return "", err
			}
			return response.Text, nil
		})
	})
}

func TestAConnectionThatIsClosedJustThenCostsNoStream(t *testing.T) {
	client := open(t, closing())
	sixteen(t, func() (string, error) {
		text := ""
		for chunk, err := range client.Stream(background, prompt("Hello")) {
			if err != nil {
				return "", err
			}
			text += chunk.Text
		}
		return text, nil
	})
}

// smuggler answers each request, and after a pause sends another answer that nobody asked for.
func smuggler(t *testing.T, pause time.Duration, sent chan<- struct{}) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	answer := func(text string) string {
		body := fmt.Sprintf(`{"id": "x", "model": "m", "choices": [{"index": 0, `+
			`"message": {"role": "assistant", "content": %q}, "finish_reason": "stop"}]}`, text)
		return fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
	}
	serve := func(peer net.Conn) {
		defer peer.Close()
		buffer := make([]byte, 1<<16)
		for {
			if n, err := peer.Read(buffer); n == 0 || err != nil {
				return
			}
			if pause > 0 {
				peer.Write([]byte(answer("mine")))
				// What the test is about: the answer comes while the connection is idle.
				time.Sleep(pause)
				peer.Write([]byte(answer("foreign")))
			} else {
				peer.Write([]byte(answer("mine") + answer("foreign")))
			}
			sent <- struct{}{}
		}
	}
	go func() {
		for {
			peer, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(peer)
		}
	}()
	return "http://" + listener.Addr().String() + "/v1"
}

func TestAnAnswerThatNobodyAskedForIsNobodys(t *testing.T) {
	for _, pause := range []time.Duration{0, 5, 50, 99} {
		both(t, func(t *testing.T, way literllm.Option) {
			sent := make(chan struct{}, 1)
			config := free("")
			provider := config.Providers["openai"]
			provider.BaseURL = smuggler(t, pause*time.Millisecond, sent)
			config.Providers["openai"] = provider
			client := open(t, config, way)
			for range 10 {
				response, err := client.Chat(background, prompt("Hello"))
				if err != nil || response.Text != "mine" {
					t.Fatalf("%v after %d ms: %v", response, pause, err)
				}
				<-sent
			}
		})
	}
}
