package literllm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

func Example() {
	client, err := literllm.NewClient() // keys come from the environment
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	response, err := client.Chat(ctx, &literllm.ChatRequest{Model: "openai/gpt-4.1-mini", Prompt: "Say hello"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Text)
}

func ExampleNewClient() {
	client, err := literllm.NewClient(
		literllm.WithConfig(literllm.Config{Providers: map[string]literllm.Provider{
			"local": {Kind: "compatible", BaseURL: "http://localhost:8000/v1", Model: "llama"},
		}}),
		literllm.WithProvider("local"),
		literllm.WithOptions(literllm.Options{Timeout: time.Minute}),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
}

func ExampleClient_Chat() {
	var client *literllm.Client // of NewClient
	response, err := client.Chat(context.Background(), &literllm.ChatRequest{
		Model:       "openai/gpt-4.1-mini",
		Messages:    []literllm.Message{literllm.System("Be brief"), literllm.User("The weather in Zürich?")},
		Temperature: literllm.Ptr(0.2),
		Tools: []literllm.Tool{{Function: &literllm.FunctionSpec{
			Name: "weather", Parameters: map[string]any{"type": "object"},
		}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, call := range response.Choices[0].Message.ToolCalls {
		fmt.Println(call.Function.Name, call.Function.Arguments)
	}
}

func ExampleClient_Stream() {
	var client *literllm.Client // of NewClient
	request := &literllm.ChatRequest{Model: "anthropic/claude-haiku-4-5", Prompt: "Count to three"}
	for chunk, err := range client.Stream(context.Background(), request) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text)
		if chunk.Response != nil { // the last one: the whole answer
			fmt.Println(chunk.Response.Choices[0].FinishReason)
		}
	}
}

func ExampleClient_OpenStream() {
	var client *literllm.Client // of NewClient
	stream, err := client.OpenStream(context.Background(), &literllm.ChatRequest{Prompt: "Count to three"})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for {
		chunk, err := stream.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text)
	}
	response, err := stream.Response()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Choices[0].FinishReason)
}

func ExampleClient_GenerateMulti() {
	var client *literllm.Client // of NewClient
	targets := []string{"openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5"}
	multi, err := client.GenerateMulti(context.Background(), &literllm.ChatRequest{Prompt: "Say hello"}, targets, 1)
	if err != nil { // nobody answered
		log.Fatal(err)
	}
	fmt.Println(multi.Results[0].Text, multi.Failures)
}

func ExampleInvoke() {
	answer, err := literllm.Invoke("openai", `{"model":"gpt-4.1-mini","prompt":"Say hello"}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer) // the response document
}

func ExampleGenerate() {
	text, err := literllm.Generate("Say hello", 50, 0.2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
}

func ExampleError() {
	_, err := literllm.Generate("Say hello", 0, -1)
	var failure *literllm.Error
	switch {
	case errors.Is(err, literllm.ErrRateLimit) && errors.As(err, &failure):
		fmt.Println("again in", failure.RetryAfter)
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("too slow")
	case err != nil: // its text says what to do
		fmt.Println(err)
	}
}

func ExampleChatRequest_raw() {
	var client *literllm.Client // of NewClient
	response, err := client.Chat(context.Background(), &literllm.ChatRequest{
		Raw:     []byte(`{"model":"openai/gpt-4.1-mini","prompt":"Say hello"}`),
		Options: &literllm.Options{Fallback: []string{"anthropic/claude-haiku-4-5"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Document())
}
