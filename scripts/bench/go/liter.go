package main

import (
	"context"

	literllm "github.com/liter-llm/liter-llm/go"
	"github.com/liter-llm/liter-llm/scripts/bench/go/harness"
)

// literCaller is liter-llm in Go: the package as a program uses it.
type literCaller struct {
	client  *literllm.Client
	request *literllm.ChatRequest
}

func openLiter(base string, of harness.Request) func() harness.Caller {
	client, err := literllm.NewClient(literllm.WithProvider("openai"), literllm.WithConfig(literllm.Config{
		Providers: map[string]literllm.Provider{"openai": {BaseURL: base, APIKey: harness.Key}},
	}))
	if err != nil {
		harness.Die(err)
	}
	request := &literllm.ChatRequest{
		Model: of.Model, MaxTokens: of.MaxCompletionTokens, Temperature: &of.Temperature,
		Seed: &of.Seed, User: of.User,
	}
	for _, message := range of.Messages {
		request.Messages = append(request.Messages, literllm.Message{Role: message.Role, Content: message.Content})
	}
	return func() harness.Caller { return &literCaller{client, request} }
}

func (c *literCaller) Chat() (string, int64, error) {
	response, err := c.client.Chat(context.Background(), c.request)
	if err != nil {
		return "", 0, err
	}
	if response.Usage == nil || response.Usage.TotalTokens == nil {
		return response.Text, 0, nil
	}
	return response.Text, *response.Usage.TotalTokens, nil
}
