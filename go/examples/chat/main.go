// One question, one answer.
//
// Keys come from the environment: OPENAI_API_KEY, ANTHROPIC_API_KEY, …
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

	response, err := client.Chat(context.Background(), &literllm.ChatRequest{
		Model:  "openai/gpt-4.1-mini",
		Prompt: "Why is the sky blue?",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Text)
	fmt.Printf("%s: %s\n", response.Model, response.Choices[0].FinishReason)
	if usage := response.Usage; usage != nil && usage.TotalTokens != nil { // not every server counts
		fmt.Println(*usage.TotalTokens, "tokens")
	}
}
