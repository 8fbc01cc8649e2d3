// A fallback: where the first provider cannot be reached, the next one answers.
//
// The answer says who gave it, and each attempt that was made before.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"

	literllm "github.com/liter-llm/liter-llm/go"
)

func main() {
	client, err := literllm.NewClient(literllm.WithOptions(literllm.Options{
		Fallback: []string{"anthropic/claude-haiku-4-5", "openai/gpt-4.1-mini"},
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	response, err := client.Chat(context.Background(), &literllm.ChatRequest{
		Model:     "zai/glm-4.6",
		Prompt:    "Why is the sky blue?",
		MaxTokens: 200,
	})
	if err != nil { // nobody answered
		log.Fatal(err)
	}
	for _, attempt := range response.Liter.Attempts {
		fmt.Printf("%s: %s\n", attempt.Target, cmp.Or(attempt.Kind, "ok"))
	}
	fmt.Printf("%s: %s\n", response.Provider, response.Text)
}
