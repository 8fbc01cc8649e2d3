package literllm_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	literllm "github.com/liter-llm/liter-llm/go"
)

const strange = "naïve 日本語 🎉 \u2028 \x00 \x01 \x7f \\ \" / \b\f\n\r\t <a>&amp; 𝔘𝔫𝔦 \ufffd"

func TestTextSurvivesBothWays(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		client := open(t, free(""), way)
		ask(t, client, prompt(strange))
		requests := []*literllm.ChatRequest{
			prompt(strange),
			{Messages: []literllm.Message{literllm.User(strange)}},
			{Messages: []literllm.Message{{Role: "user", Parts: []literllm.Part{literllm.Text(strange)}}}},
			{Members: map[string]any{"prompt": strange}},
		}
		for i, request := range requests {
			text := ""
			for chunk, err := range client.Stream(context.Background(), request) {
				if err != nil {
					t.Fatal(err)
				}
				text += chunk.Text
				if chunk.Response != nil && chunk.Response.Text != text {
					t.Errorf("%q is not %q", chunk.Response.Text, text)
				}
			}
			if text != "You said: "+strange {
				t.Errorf("%d: %q", i, text)
			}
		}
	})
}

func TestWhatAProviderEscapes(t *testing.T) {
	response, err := open(t, scripted("unicode")).Chat(context.Background(), prompt("x"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "a\x00b naïve 日本語 🎉 🎉 \u2028 \x01 \\ \" 𝔘𝔫𝔦"; response.Text != want {
		t.Errorf("%q", response.Text)
	}
}

func TestNumbersKeepTheirSpelling(t *testing.T) {
	response, err := open(t, scripted("numbers")).Chat(context.Background(), prompt("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"weird":9007199254740993`, `"precise":0.10`} {
		if !strings.Contains(string(response.Liter.ProviderFields), want) ||
			!strings.Contains(string(response.Document()), want) {
			t.Error(response.Liter.ProviderFields)
		}
	}
}

// The decoder and encoding/json read the same from any document.
func FuzzDecoder(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","choices":[{"index":0,"message":{"role":"assistant","content":"\ud83c\udf89\n"}}],"model":"x"}`,
		`{"usage":null,"liter":{"v":1,"timing":{"queue_ms":0.5}},"model":"\ud800"}`,
		` { "model" : "a" , "unknown" : [ 1 , {"a":"]}"} ] , "created" : 5 } `,
		`{"model":"\ud83c\ud83c\udf89"}`, `{"model":1}`, `{"model":"`, `{"choices":[`, `{"model":"a"`, `{`, ``,
		`{"created":1e3}`, `{"provider":"\u00e9\u0000\/"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = literllm.ReadChunk(text) // it must only come to an end
		response, err := literllm.ReadResponse(text)
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) || err != nil {
			return
		}
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &members) != nil || members["model"] == nil {
			return
		}
		var want string
		if json.Unmarshal(members["model"], &want) == nil && response.Model != want {
			t.Errorf("%q is not %q", response.Model, want)
		}
	})
}
