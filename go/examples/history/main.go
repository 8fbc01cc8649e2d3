// A conversation: the answer's message goes back as it is, with the next question behind it.
package main

import (
	"context"
	"fmt"
	"log"

	literllm "github.com/liter-llm/liter-llm/go"
)

func main() {
	client, err := literllm.NewClient(literllm.WithProvider("anthropic"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	messages := []literllm.Message{literllm.System("Answer in one sentence.")}
	for _, question := range []string{"What is the capital of Peru?", "How many people live there?"} {
		messages = append(messages, literllm.User(question))
		response, err := client.Chat(context.Background(), &literllm.ChatRequest{
			Model:     "claude-haiku-4-5",
			Messages:  messages,
			MaxTokens: 200,
		})
		if err != nil {
			log.Fatal(err)
		}
		messages = append(messages, response.Choices[0].Message)
		fmt.Printf("> %s\n%s\n", question, response.Text)
	}
	fmt.Println(len(messages), "messages")
}
