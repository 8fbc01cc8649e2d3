package literllm_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// With many goroutines and many clients, each answer goes to its own call.
func TestManyGoroutinesAndClients(t *testing.T) {
	ask(t, open(t, free("")), prompt("warm"))
	before := threads(t)
	var all sync.WaitGroup
	for c := range 8 {
		client := open(t, free(""), literllm.WithInlineCalls(c))
		for g := range 16 {
			all.Go(func() {
				for i := range times() {
					text := fmt.Sprintf("%d %d %d", c, g, i)
					if i%4 == 3 {
						got := ""
						for chunk, err := range client.Stream(context.Background(), prompt(text)) {
							if err != nil {
								t.Error(err)
							}
							got += chunk.Text
						}
						if got != "You said: "+text {
							t.Errorf("%q for %q", got, text)
						}
						continue
					}
					response, err := client.Chat(context.Background(), prompt(text))
					if err != nil || response.Text != "You said: "+text {
						t.Errorf("%v, %v for %q", response, err, text)
					}
				}
			})
		}
	}
	all.Wait()
	fewThreads(t, before, 12)
}
