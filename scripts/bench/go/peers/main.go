// Other clients in Go, as their users write them: net/http and go-openai.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/liter-llm/liter-llm/scripts/bench/go/harness"
	"github.com/sashabaranov/go-openai"
)

func main() {
	harness.Main(map[string]harness.Open{"net_http": openHTTP, "go_openai": openGoOpenAI})
}

// client keeps a connection for each call in flight. The default keeps two, and would connect anew
// for most calls.
func client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 1024
	return &http.Client{Transport: transport}
}

type httpCaller struct {
	client  *http.Client
	url     string
	request harness.Request
}

func openHTTP(base string, request harness.Request) func() harness.Caller {
	shared := client()
	return func() harness.Caller { return &httpCaller{shared, base + "/chat/completions", request} }
}

func (c *httpCaller) Chat() (string, int64, error) {
	body, err := json.Marshal(&c.request)
	if err != nil {
		return "", 0, err
	}
	request, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	request.Header.Set("Authorization", "Bearer "+harness.Key)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		return "", 0, err
	}
	if response.StatusCode != http.StatusOK {
		return "", 0, errors.New(response.Status)
	}
	return harness.Answer(body)
}

type goOpenAICaller struct {
	client  *openai.Client
	request openai.ChatCompletionRequest
}

func openGoOpenAI(base string, of harness.Request) func() harness.Caller {
	config := openai.DefaultConfig(harness.Key)
	config.BaseURL, config.HTTPClient = base, client()
	shared, seed := openai.NewClientWithConfig(config), int(of.Seed)
	request := openai.ChatCompletionRequest{
		Model: of.Model, MaxCompletionTokens: of.MaxCompletionTokens,
		Temperature: float32(of.Temperature), Seed: &seed, User: of.User,
	}
	for _, message := range of.Messages {
		request.Messages = append(request.Messages,
			openai.ChatCompletionMessage{Role: message.Role, Content: message.Content})
	}
	return func() harness.Caller { return &goOpenAICaller{shared, request} }
}

func (c *goOpenAICaller) Chat() (string, int64, error) {
	response, err := c.client.CreateChatCompletion(context.Background(), c.request)
	if err != nil {
		return "", 0, err
	}
	if len(response.Choices) == 0 {
		return "", 0, errors.New("no choices")
	}
	return response.Choices[0].Message.Content, int64(response.Usage.TotalTokens), nil
}
