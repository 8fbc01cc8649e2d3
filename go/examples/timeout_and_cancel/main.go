// Time is limited in three ways: by a deadline, by a context that is cancelled, by leaving a stream.
//
// Each ends the request on its way: its connection is closed, and nothing of it goes on.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

func main() {
	client, err := literllm.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	slow := &literllm.ChatRequest{Model: "together/openai/gpt-oss-20b", Prompt: "Think hard"}

	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	_, err = client.Chat(ctx, slow)
	var failure *literllm.Error
	if errors.Is(err, context.DeadlineExceeded) && errors.As(err, &failure) {
		fmt.Printf("%s, may be tried again: %t\n", failure.Kind, failure.Retryable)
	}

	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel) // the user goes away
	if _, err = client.Chat(ctx, slow); errors.Is(err, context.Canceled) {
		fmt.Println("cancelled")
	}

	request := &literllm.ChatRequest{Model: "openai/gpt-4.1-mini", Prompt: "One two three four"}
	for chunk, err := range client.Stream(context.Background(), request) {
		if err != nil {
			log.Fatal(err)
		}
		if chunk.Text != "" {
			fmt.Println("first words:", chunk.Text)
			break // the rest is not wanted, nor paid for
		}
	}
}
