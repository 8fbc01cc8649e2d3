package literllm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

func environmentConfig(key string) literllm.Config {
	provider := literllm.Provider{BaseURL: simulator + "/v1", APIKey: key, Model: "m"}
	return literllm.Config{
		DefaultProvider: "openai",
		Providers:       map[string]literllm.Provider{"openai": provider},
	}
}

// A key is that of the time at which the client was made.
func TestEnvironmentIsReadOnce(t *testing.T) {
	config := environmentConfig("env:LITER_TEST_KEY")
	ask := func(client *literllm.Client) error {
		_, err := client.Chat(context.Background(), &literllm.ChatRequest{Prompt: "Hello"})
		return err
	}
	made := func() *literllm.Client {
		client, err := literllm.NewClient(literllm.WithConfig(config))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		return client
	}
	t.Setenv("LITER_TEST_KEY", "sk-test")
	early := made()
	os.Unsetenv("LITER_TEST_KEY")
	if err := ask(early); err != nil {
		t.Error(err)
	}
	between := made()
	os.Setenv("LITER_TEST_KEY", "sk-test") // too late for this client
	if err := ask(between); !errors.Is(err, literllm.ErrAuthentication) ||
		!strings.Contains(err.Error(), "LITER_TEST_KEY") {
		t.Error(err)
	}
	os.Setenv("LITER_TEST_BYTES", "a\xffb")
	defer os.Unsetenv("LITER_TEST_BYTES")
	if err := ask(made()); err != nil {
		t.Error(err)
	}
}

func init() {
	children["environment"] = func() {
		shared, err := literllm.NewClient()
		if err != nil {
			panic(err)
		}
		until := time.Now().Add(3 * time.Second)
		over := func() bool { return time.Now().After(until) }
		var group sync.WaitGroup
		counts := make([]int, 4)
		for i := range counts {
			group.Add(1)
			go func() {
				defer group.Done()
				for !over() {
					counts[i]++
					if i < 2 {
						own, err := literllm.NewClient(literllm.WithConfig(literllm.Config{}))
						if err != nil {
							panic(err)
						}
						own.Close()
						continue
					}
					ask := &literllm.ChatRequest{Prompt: "Hello"}
					if _, err := shared.Chat(context.Background(), ask); err != nil {
						panic(err)
					}
				}
			}()
		}
		for round := 0; !over(); round++ {
			for number := range 300 {
				name := fmt.Sprintf("LITER_STORM_%d", number)
				if round%2 == 0 {
					os.Setenv(name, "a value that is long enough to be moved")
				} else {
					os.Unsetenv(name)
				}
			}
		}
		group.Wait()
		fmt.Println(min(counts[0], counts[1], counts[2], counts[3]) > 5)
	}
}

// os.Setenv calls C's setenv. Nothing in the engine may read the environment beside it.
func TestEnvironmentStorm(t *testing.T) {
	out, err := child(t, "environment", environmentConfig("sk-test")).CombinedOutput()
	if err != nil || string(out) != "true\n" {
		t.Errorf("%v: %s", err, out)
	}
}
