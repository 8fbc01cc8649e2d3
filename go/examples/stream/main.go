// An answer as it arrives, word by word, and the whole of it at the end.
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

	request := &literllm.ChatRequest{
		Model:  "openai/gpt-4.1-mini",
		Prompt: "Tell me a short story about a lighthouse",
	}
	for chunk, err := range client.Stream(context.Background(), request) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text)
		if whole := chunk.Response; whole != nil { // the last chunk
			fmt.Printf("\n%d characters, %s\n", len(whole.Text), whole.Choices[0].FinishReason)
		}
	}
}
