// Structured output by hand: a schema goes with the request, and the program checks the answer.
// Where it does not fit, the model is told why and asked again.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"strings"

	literllm "github.com/liter-llm/liter-llm/go"
)

type person struct {
	Name string
	Born int
}

const schema = `{"type": "object", "required": ["name", "born"],
	"properties": {"name": {"type": "string"}, "born": {"type": "integer"}}}`

// ask asks up to three times.
func ask(client *literllm.Client, question string) (found person, err error) {
	format := &literllm.JSONSchema{Name: "person", Schema: json.RawMessage(schema)}
	request := &literllm.ChatRequest{
		Model:          "openai/gpt-4.1-mini",
		Messages:       []literllm.Message{literllm.User(question)},
		ResponseFormat: &literllm.ResponseFormat{Type: "json_schema", JSONSchema: format},
	}
	for range 3 {
		response, failed := client.Chat(context.Background(), request)
		if failed != nil {
			return found, failed
		}
		text := response.Text // some models write a sentence before the JSON
		decoder := json.NewDecoder(strings.NewReader(text[max(0, strings.Index(text, "{")):]))
		if err = decoder.Decode(&found); err == nil {
			return found, nil
		}
		request.Messages = append(request.Messages, response.Choices[0].Message,
			literllm.User("That does not fit: "+err.Error()))
	}
	return found, fmt.Errorf("no answer fits after 3 tries: %w", err)
}

func main() {
	client, err := literllm.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	found, err := ask(client, `Who wrote the first program, and when was she born?
		Answer in JSON, as {"name": "Ada Lovelace", "born": 1815}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, born in %d\n", found.Name, found.Born)
}
