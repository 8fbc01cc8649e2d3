package literllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

func TestModels(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		answer, err := client.Models(context.Background(), &literllm.ModelsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Data) != 2 || answer.Data[1].ID != "gpt-5" || answer.Provider != "openai" ||
			*answer.Data[0].Created != 1_700_000_000 || answer.Data[0].ContextWindow != nil ||
			answer.Liter.Attempts[0].Status != 200 {
			t.Errorf("%+v", answer)
		}
		one, err := client.Models(context.Background(), &literllm.ModelsRequest{
			Model: "openai/any/model", Options: &literllm.Options{Strict: literllm.Ptr(true)},
		})
		if err != nil || len(one.Data) != 1 || one.Data[0].ID != "any/model" {
			t.Errorf("%+v %v", one, err)
		}
	})
}

func TestEmbed(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		texts := make([]string, 3000)
		for i := range texts {
			texts[i] = string(rune('a' + i%26))
		}
		answer, err := client.Embed(context.Background(), &literllm.EmbedRequest{Input: texts, Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		vectors, err := answer.Vectors()
		if err != nil || len(vectors) != 3000 || len(answer.Liter.Attempts) != 3 || *answer.Usage.TotalTokens != 3000 {
			t.Fatalf("%d vectors, %d attempts, %v", len(vectors), len(answer.Liter.Attempts), err)
		}
		for i, vector := range vectors {
			if len(vector) != 4 || vector[0] != float32(texts[i][0]) || vector[1] != 1 {
				t.Fatalf("%d: %v", i, vector)
			}
		}
		_, err = client.Embed(context.Background(), &literllm.EmbedRequest{Input: "x"})
		if !errors.Is(err, literllm.ErrInvalidRequest) {
			t.Errorf("%v", err)
		}
	})
}

func TestEncodingsOfVectors(t *testing.T) {
	for document, want := range map[string][][]float32{
		`{"encoding":"int8","data":[{"embedding":"gAF/"},{"embedding":"AAEC"}]}`: {{-128, 1, 127}, {0, 1, 2}},
		`{"encoding":"ubinary","data":[{"embedding":"/wE="}]}`:                   {{255, 1}},
		`{"encoding":"float","data":[{"embedding":[0.5,-1]}]}`:                   {{0.5, -1}},
		`{"encoding":"base64","data":[{"embedding":"AAAAPwAAgL8="}]}`:            {{0.5, -1}},
		`{"encoding":"base64","data":[]}`:                                        {},
		`{"encoding":"base64","data":[{"embedding":"AAA="}]}`:                    nil,
		`{"encoding":"base64","data":[{"embedding":"?"}]}`:                       nil,
		`{"encoding":"base64","data":[{"embedding":""}]}`:                        nil,
		`{"encoding":"int8","data":[{"embedding":"gA=="}]}`:                      {{-128}},
		`{"encoding":"binary","data":[{"embedding":"gP8="}]}`:                    {{-128, -1}},
		`{"encoding":"uint8","data":[{"embedding":"/w=="}]}`:                     {{255}},
		`{"encoding":"int8","data":[{"embedding":"gAF/"},{"embedding":"AA=="}]}`: nil,
		`{"encoding":"float","data":[{"embedding":[1]},{"embedding":[1,2]}]}`:    nil,
		`{"encoding":"float","data":[{"embedding":[]}]}`:                         nil,
		`{"encoding":"float","data":[{"embedding":"AAA="}]}`:                     nil,
	} {
		var answer literllm.EmbedResponse
		if err := json.Unmarshal([]byte(document), &answer); err != nil {
			t.Fatal(err)
		}
		vectors, err := answer.Vectors()
		if !reflect.DeepEqual(vectors, want) || (err == nil) != (want != nil) {
			t.Errorf("%s: %v %v", document, vectors, err)
		}
	}
}

func TestRerank(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		provider := literllm.Provider{Kind: "compatible", BaseURL: simulator + "/v1", APIKey: "k"}
		config := literllm.Config{Providers: map[string]literllm.Provider{"mine": provider}}
		client := open(t, config, way)
		answer, err := client.Rerank(context.Background(), &literllm.RerankRequest{
			Query: "Where is Paris", Model: "mine/m",
			Documents: []string{"It rains.", "Paris is in France.", "Where it rains."},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Results) != 3 || answer.Results[0].Index != 1 || answer.Results[2].RelevanceScore != 0 {
			t.Errorf("%+v", answer)
		}
	})
}

func TestModerate(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		for _, test := range []struct {
			input any
			want  []bool
		}{
			{"good", []bool{false}},
			{[]string{"good", "violence"}, []bool{false, true}},
			{[]map[string]any{{"type": "text", "text": "violence"}}, []bool{true}},
		} {
			request := &literllm.ModerateRequest{Input: test.input, Model: "m"}
			answer, err := client.Moderate(context.Background(), request)
			if err != nil {
				t.Fatal(err)
			}
			var flagged []bool
			for _, verdict := range answer.Results {
				flagged = append(flagged, verdict.Flagged)
			}
			if !reflect.DeepEqual(flagged, test.want) || answer.Model != "m" {
				t.Errorf("%v: %+v", test.input, answer)
			}
		}
	})
}

func TestStoredAnswers(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		config := free("")
		config.Cache = &literllm.Cache{}
		client := open(t, config, way)
		ask := func(tenant string) string {
			request := &literllm.ChatRequest{Prompt: "Hello", Temperature: literllm.Ptr(0.0)}
			request.Options = &literllm.Options{Tenant: tenant, Cache: &literllm.CacheOptions{Mode: "default"}}
			response, err := client.Chat(context.Background(), request)
			if err != nil {
				t.Fatal(err)
			}
			if response.Liter.Cache == nil {
				return ""
			}
			return string(response.Liter.Cache.Tier)
		}
		for i, want := range []string{"", "memory", "memory"} {
			if tier := ask("a"); tier != want {
				t.Errorf("call %d: %q", i, tier)
			}
		}
		ask("b")
		purged, err := client.PurgeCache(context.Background(), "a")
		if err != nil || purged.Tenant != "a" || purged.Removed.Memory != 1 {
			t.Errorf("%+v %v", purged, err)
		}
		if one, other := ask("a"), ask("b"); one != "" || other != "memory" {
			t.Errorf("%q %q", one, other)
		}
		if _, err := client.PurgeCache(context.Background(), strings.Repeat("x", 129)); !errors.Is(err, literllm.ErrInvalidRequest) {
			t.Error(err)
		}
		if _, err := open(t, free("")).PurgeCache(context.Background(), ""); !errors.Is(err, literllm.ErrUnsupported) {
			t.Error(err)
		}
	})
}

func TestBudgets(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		config := free("")
		config.Budgets = map[string]literllm.Spending{"users": {Per: "tag:user", USD: "0.002", Window: "total"}}
		price := literllm.Price{Input: "10", Output: "10"}
		config.Prices = map[string]literllm.Price{"openai/gpt-5-mini": price}
		client := open(t, config, way)
		ask := func(most int) (*literllm.Response, error) {
			request := &literllm.ChatRequest{Prompt: "Hello", MaxTokens: most}
			request.Options = &literllm.Options{Tags: map[string]string{"user": "ann"}}
			return client.Chat(context.Background(), request)
		}
		response, err := ask(150)
		if err != nil {
			t.Fatal(err)
		}
		state, err := client.Budget(context.Background(), "users", "ann")
		if err != nil || state.SpentUSD != response.Liter.Cost.USD || state.HeldUSD != "0" {
			t.Errorf("%+v %v", state, err)
		}
		if _, err := ask(5000); !errors.Is(err, literllm.ErrQuota) {
			t.Error(err)
		}
		if other, err := client.Budget(context.Background(), "users", ""); err != nil || other.SpentUSD != "0" {
			t.Errorf("%+v %v", other, err)
		}
		if _, err := client.Budget(context.Background(), "nobody", ""); !errors.Is(err, literllm.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestWhatIsWrongWithAnOperation(t *testing.T) {
	client := open(t, free(""))
	targets := &literllm.Fanout{Targets: []string{"openai", "openai"}}
	for name, test := range map[string]struct {
		request *literllm.ModerateRequest
		kind    literllm.Kind
		param   string
	}{
		"nothing to look at": {&literllm.ModerateRequest{}, "invalid_request", "input"},
		"an empty list":      {&literllm.ModerateRequest{Input: []string{}}, "invalid_request", "input"},
		"nil":                {nil, "invalid_request", ""},
		"a provider without it": {&literllm.ModerateRequest{
			Input: "x", Options: &literllm.Options{Provider: "anthropic"},
		}, "unsupported", "op"},
		"several answers": {&literllm.ModerateRequest{
			Input: "x", Options: &literllm.Options{Fanout: targets},
		}, "invalid_request", "options.fanout"},
	} {
		_, err := client.Moderate(context.Background(), test.request)
		var failure *literllm.Error
		if !errors.As(err, &failure) || failure.Kind != test.kind || failure.Param != test.param {
			t.Errorf("%s: %v, param %q", name, err, failure.Param)
		}
	}
}

func TestRequestsOfOperationsThereAndBack(t *testing.T) {
	read := back(t, literllm.ModelsRequest{Model: "m", Members: map[string]any{"colour": "blue"}})
	if read.Model != "m" || len(read.Members) != 1 {
		t.Errorf("%+v", read)
	}
	back(t, literllm.EmbedRequest{Input: []any{"a", "b"}, Model: "m", Dimensions: literllm.Ptr(3)})
	back(t, literllm.RerankRequest{Query: "q", Documents: []string{"a"}, TopN: literllm.Ptr(1)})
	back(t, literllm.ModerateRequest{Input: []any{"a", "b"}, Model: "m"})
	client := open(t, free(""))
	answer, err := client.Models(context.Background(), &literllm.ModelsRequest{Raw: json.RawMessage(`{"op":"models"}`)})
	if err != nil || len(answer.Data) != 2 || len(answer.Document()) == 0 {
		t.Errorf("%+v %v", answer, err)
	}
	back(t, *answer)
}

func TestCountTokens(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		for _, test := range []struct {
			request literllm.ChatRequest
			want    int
		}{
			{literllm.ChatRequest{Prompt: "How many words"}, 3},
			{literllm.ChatRequest{
				Messages: []literllm.Message{literllm.System("Be brief."), literllm.User("Why?")},
				Tools:    []literllm.Tool{{Type: "function", Function: &literllm.FunctionSpec{Name: "f"}}},
			}, 4},
			{literllm.ChatRequest{Raw: json.RawMessage(` {"prompt": "one two", "op": "chat"} `)}, 2},
		} {
			test.request.Options = &literllm.Options{Provider: "openai"}
			raw := string(test.request.Raw)
			answer, err := client.CountTokens(context.Background(), &test.request)
			if err != nil {
				t.Fatal(err)
			}
			if int(answer.InputTokens) != test.want || answer.Provider != "openai" || answer.Model == "" {
				t.Errorf("%+v", answer)
			}
			if string(test.request.Raw) != raw {
				t.Errorf("the caller's request is now %s", test.request.Raw)
			}
		}
		for _, request := range []*literllm.ChatRequest{
			nil, {}, {Raw: json.RawMessage(`{}`)}, {Raw: json.RawMessage(`[]`)},
			{Raw: json.RawMessage(`{"prompt":"x","stream":true}`)},
		} {
			if _, err := client.CountTokens(context.Background(), request); !errors.Is(err, literllm.ErrInvalidRequest) {
				t.Errorf("%v", err)
			}
		}
	})
}
