package literllm

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"strings"
)

// document is the configuration as JSON, with the key, the base URL and the headers of the client's own
// provider in it. nil: that of the environment.
//
// Without a configuration, LITER_LLM_CONFIG of the variables takes them in, so that all else of the
// environment counts as before.
func (s *settings) document(variables map[string]string) ([]byte, error) {
	if s.apiKey == "" && s.baseURL == "" {
		return s.config, nil
	}
	inside := s.config
	if inside == nil {
		text, err := environmentConfig(variables)
		if err != nil {
			return nil, err
		}
		inside = text
	}
	var found map[string]json.RawMessage
	if err := json.Unmarshal(inside, &found); err != nil || found == nil {
		return s.config, nil // the engine says what is wrong
	}
	name, err := s.ownProvider(found, variables)
	if err != nil {
		return nil, err
	}
	made, err := s.withOwn(found, name)
	if err != nil || made == nil {
		return s.config, err
	}
	if s.config == nil {
		variables["LITER_LLM_CONFIG"] = string(made)
		return nil, nil
	}
	return made, nil
}

// ownProvider is the name of the provider that a key and a base URL are for.
func (s *settings) ownProvider(
	found map[string]json.RawMessage, variables map[string]string,
) (string, error) {
	word := func(member string) (text string) {
		_ = json.Unmarshal(found[member], &text) // another type: the engine says so
		return text
	}
	var provider, model string
	if s.config == nil {
		provider, model = variables["LITER_LLM_PROVIDER"], variables["LITER_LLM_MODEL"]
	}
	prefix, _, whole := strings.Cut(cmp.Or(model, word("default_model")), "/")
	if !whole {
		prefix = ""
	}
	name := cmp.Or(s.options.Provider, provider, word("default_provider"), prefix)
	var given []string
	if s.apiKey != "" {
		given = append(given, "WithAPIKey")
	}
	if s.baseURL != "" {
		given = append(given, "WithBaseURL")
	}
	options, are := strings.Join(given, " and "), "it is"
	if len(given) > 1 {
		are = "they are"
	}
	if name == "" {
		return "", newError(ErrInvalidRequest, "%s: which provider %s for is not known. "+
			"Name it, as in WithProvider(\"openai\")", options, are)
	}
	var routes map[string]json.RawMessage
	_ = json.Unmarshal(found["routes"], &routes)
	if _, isRoute := routes[name]; isRoute {
		return "", newError(ErrInvalidRequest, "%s: %s for one provider, and %q is a route. "+
			"Name a provider, as in WithProvider(\"openai\")", options, are, name)
	}
	return name, nil
}

// withOwn is the configuration with the settings of one provider. nil: it is malformed.
func (s *settings) withOwn(found map[string]json.RawMessage, name string) ([]byte, error) {
	var providers, provider map[string]json.RawMessage
	if found["providers"] != nil && json.Unmarshal(found["providers"], &providers) != nil {
		return nil, nil
	}
	if providers[name] != nil && json.Unmarshal(providers[name], &provider) != nil {
		return nil, nil
	}
	own := added(provider, nil)
	if s.headers != nil {
		var before map[string]json.RawMessage
		if provider["headers"] != nil && json.Unmarshal(provider["headers"], &before) != nil {
			return nil, nil
		}
		headers := make(map[string]any, len(s.headers)+len(before))
		for name, value := range s.headers {
			headers[name] = value
		}
		addHeaders(headers, added(before, nil))
		own["headers"] = headers
	}
	if s.apiKey != "" {
		own["api_key"] = s.apiKey
	}
	if s.baseURL != "" {
		own["base_url"] = s.baseURL
	}
	providersNow := added(providers, map[string]any{name: own})
	return marshal("the configuration", added(found, map[string]any{"providers": providersNow}))
}

// added is an object with further members.
func added(object map[string]json.RawMessage, members map[string]any) map[string]any {
	made := make(map[string]any, len(object)+len(members))
	for name, value := range object {
		made[name] = value
	}
	maps.Copy(made, members)
	return made
}

// environmentConfig is the configuration that LITER_LLM_CONFIG has or names.
func environmentConfig(variables map[string]string) ([]byte, error) {
	text := variables["LITER_LLM_CONFIG"]
	if text == "" {
		return []byte("{}"), nil
	}
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return []byte(text), nil
	}
	document, err := os.ReadFile(text)
	if err != nil {
		return nil, nil // the engine says so
	}
	return document, nil
}
