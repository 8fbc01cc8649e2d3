// An A/B test: one user in four gets the other model, and each user keeps theirs.
//
// The program asks the route "answers". Which models are behind it is said in one place.
package main

import (
	"context"
	"fmt"
	"log"

	literllm "github.com/liter-llm/liter-llm/go"
)

var config = literllm.Config{Routes: map[string]literllm.Route{
	"answers": {Policy: "weighted", Targets: []literllm.Target{
		{Target: "openai/gpt-4.1-mini", Weight: literllm.Ptr(3)},
		{Target: "anthropic/claude-haiku-4-5", Weight: literllm.Ptr(1)},
	}},
}}

func main() {
	client, err := literllm.NewClient(literllm.WithConfig(config), literllm.WithProvider("answers"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	provider := func(user string) string {
		response, err := client.Chat(context.Background(), &literllm.ChatRequest{
			Prompt:    "Hello",
			MaxTokens: 50,
			Options:   &literllm.Options{StickyKey: user},
		})
		if err != nil {
			log.Fatal(err)
		}
		return response.Provider
	}
	users, moved := map[string]int{}, 0
	for number := range 200 {
		user := fmt.Sprintf("user-%d", number)
		first := provider(user)
		users[first]++
		if provider(user) != first {
			moved++
		}
	}
	fmt.Println(users)
	fmt.Printf("200 users shared %d models, %d changed sides\n", len(users), moved)
}
