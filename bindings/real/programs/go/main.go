// Programs are those of this folder in Go: `programs WAY BASE_URL KEY`, as cancel.py, and
// `programs many …`, as many.py.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

var ways = map[string]func(*literllm.Client){
	"break": func(client *literllm.Client) {
		for _, err := range client.Stream(context.Background(), asked()) {
			check(err)
			fmt.Println("begun")
			break
		}
	},
	"context": func(client *literllm.Client) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		for _, err := range client.Stream(ctx, asked()) {
			if errors.Is(err, context.Canceled) {
				break
			}
			check(err)
			if ctx.Err() == nil {
				fmt.Println("begun")
				cancel()
			}
		}
	},
	"close": func(client *literllm.Client) {
		stream, err := client.OpenStream(context.Background(), asked())
		check(err)
		fmt.Println("begun")
		check(stream.Close())
	},
	"deadline": func(client *literllm.Client) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begun := false
		for _, err := range client.Stream(ctx, asked()) {
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
			check(err)
			if !begun {
				fmt.Println("begun")
				begun = true
			}
		}
	},
}

func asked() *literllm.ChatRequest {
	return &literllm.ChatRequest{Model: "slow", Prompt: "Hello", MaxTokens: 3000,
		Options: &literllm.Options{Provider: "real"}}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	if os.Args[1] == "many" {
		many(os.Args[2:])
		return
	}
	client, err := literllm.NewClient(literllm.WithConfig(literllm.Config{
		Providers: map[string]literllm.Provider{
			"real": {Kind: "compatible", BaseURL: os.Args[2], APIKey: os.Args[3]},
		}}))
	check(err)
	ways[os.Args[1]](client)
	fmt.Println("stopped")
	_, err = io.ReadAll(os.Stdin)
	check(err)
	check(client.Close())
}
