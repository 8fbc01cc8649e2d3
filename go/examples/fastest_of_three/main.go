// The fastest of three providers answers. The other two are cancelled, with their connections.
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

	request := &literllm.ChatRequest{Prompt: "Say hello", MaxTokens: 50}
	targets := []string{
		"openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5", "together/openai/gpt-oss-20b",
	}
	several, err := client.GenerateMulti(context.Background(), request, targets, 1)
	if err != nil { // nobody answered
		log.Fatal(err)
	}
	fastest := several.Results[0]
	fmt.Println(fastest.Text)
	fmt.Printf("%s: the fastest\n", fastest.Provider)
	for _, failure := range several.Failures {
		fmt.Printf("%s: %s\n", failure.Provider, failure.Kind)
	}
}
