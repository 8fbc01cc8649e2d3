package literllm

import (
	"context"
	"encoding/json"
)

// Invoke sends one request on a client that the first call makes from the environment. It returns
// the response document.
//
// provider is a provider's name (string or []byte; nil or "": by the request's model), or options
// (an Options, a map, a struct). req is a request: JSON (string or []byte, passed on as they are),
// or a value that encoding/json turns into one (a *ChatRequest, a map, a struct).
//
//	answer, err := literllm.Invoke("openai", `{"model":"gpt-4.1-mini","prompt":"Hello"}`)
func Invoke(provider, req any) (string, error) {
	options, err := providerOptions(provider)
	if err != nil {
		return "", err
	}
	request, err := document("the request", req)
	if err != nil {
		return "", err
	}
	if err := checkWhole(request, "Invoke"); err != nil {
		return "", err
	}
	client, err := defaultClient()
	if err != nil {
		return "", err
	}
	return client.call(context.Background(), 0, request, options)
}

// Generate sends one prompt to the environment's provider and model (LITER_LLM_PROVIDER,
// LITER_LLM_MODEL), and returns the answer's text. A maxTokens of 0 and a negative temperature are
// left to the provider.
func Generate(prompt string, maxTokens int, temperature float32) (string, error) {
	client, err := defaultClient()
	if err != nil {
		return "", err
	}
	request := ChatRequest{Prompt: prompt, MaxTokens: maxTokens}
	if temperature >= 0 {
		// The shortest number that is this float32 is written: 0.2, not 0.20000000298.
		request.Members = map[string]any{"temperature": temperature}
	}
	response, err := client.Chat(context.Background(), &request)
	if err != nil {
		return "", err
	}
	return response.Text, nil
}

// document is a caller's value as a JSON document.
func document(name string, value any) ([]byte, error) {
	switch value := value.(type) {
	case nil:
		return nil, newError(ErrInvalidRequest, "%s is nil", name)
	case string:
		return []byte(value), nil
	case []byte:
		return value, nil
	case json.RawMessage:
		return value, nil
	}
	return marshal(name, value)
}

// providerOptions are the options in Invoke's first argument.
func providerOptions(provider any) (*Options, error) {
	switch provider := provider.(type) {
	case nil:
		return nil, nil
	case string:
		return &Options{Provider: provider}, nil
	case []byte:
		return &Options{Provider: string(provider)}, nil
	case Options:
		return &provider, nil
	case *Options:
		return provider, nil
	}
	text, err := marshal("the provider", provider)
	if err != nil {
		return nil, err
	}
	options := &Options{}
	if json.Unmarshal(text, &options.Provider) == nil { // of a type of the caller's
		return options, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, newError(ErrInvalidRequest, "the provider is a name or options, not %T", provider)
	}
	options.Extra = make(map[string]any, len(members))
	for name, value := range members {
		options.Extra[name] = value
	}
	return options, nil
}
