package literllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
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
	back(t, literllm.ModerateRequest{Input: []any{"a", "b"}, Model: "m"})
	client := open(t, free(""))
	answer, err := client.Models(context.Background(), &literllm.ModelsRequest{Raw: json.RawMessage(`{"op":"models"}`)})
	if err != nil || len(answer.Data) != 2 || len(answer.Document()) == 0 {
		t.Errorf("%+v %v", answer, err)
	}
	back(t, *answer)
}
