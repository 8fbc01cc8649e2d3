// A user's program: an answer and a stream.
package main

import (
	"context"
	"fmt"
	"log"

	literllm "github.com/liter-llm/liter-llm/go"
)

func main() {
	client, err := literllm.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	request := &literllm.ChatRequest{Model: "openai/gpt-4.1-mini", Prompt: "one two three"}
	response, err := client.Chat(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Text)
	for chunk, err := range client.Stream(ctx, request) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text)
	}
	fmt.Println()
}
