// Errors by class: what a program does about each kind of failure. An error's text is for people.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

var requests = []literllm.ChatRequest{
	{Model: "openai/gpt-4.1-mini"},
	{Model: "mistral/mistral-small-latest"},
	{Model: "gpt-4.1-mini", Options: &literllm.Options{Provider: "opnai"}},
	{Model: "openai/gpt-4.1-mini", MaxTokens: -1},
	{Model: "together/openai/gpt-oss-20b", Options: &literllm.Options{Timeout: 200 * time.Millisecond}},
	{Model: "zai/glm-4.6"},
}

// advice is what to do about a failure.
func advice(failure *literllm.Error) string {
	switch error(failure.Kind) {
	case literllm.ErrAuthentication:
		return "set the key: " + failure.Message
	case literllm.ErrRateLimit:
		return fmt.Sprint("ask again in ", max(failure.RetryAfter, time.Second))
	case literllm.ErrNotFound:
		return "check the names: " + failure.Message
	case literllm.ErrInvalidRequest:
		return "mend " + failure.Param + ": " + failure.Message
	case literllm.ErrTimeout:
		return "give more time to " + failure.Provider
	case literllm.ErrConnection:
		return "check network, proxy and base URL of " + failure.Provider
	}
	return failure.Error() // such as a content filter
}

func main() {
	noRetry := literllm.WithOptions(literllm.Options{Retry: &literllm.Retry{Off: true}})
	client, err := literllm.NewClient(noRetry)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for _, request := range requests {
		request.Prompt = "Hello"
		response, err := client.Chat(context.Background(), &request)
		var failure *literllm.Error
		if errors.As(err, &failure) {
			fmt.Println(advice(failure))
			continue
		}
		fmt.Println(response.Text)
	}
}
