// Tools: the model calls functions of this program until it has what it needs for an answer.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"strings"

	literllm "github.com/liter-llm/liter-llm/go"
)

var tools = []literllm.Tool{{Function: &literllm.FunctionSpec{
	Name:        "count_words",
	Description: "Counts the words of a text",
	Parameters: json.RawMessage(`{"type": "object", "required": ["text"],
		"properties": {"text": {"type": "string"}}}`),
}}}

// call runs a function. What goes wrong is told to the model, which mends it.
func call(function literllm.Function) string {
	var arguments struct{ Text string }
	if function.Name != "count_words" {
		return "error: there is no function " + function.Name
	}
	if err := json.Unmarshal([]byte(function.Arguments), &arguments); err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprint(len(strings.Fields(arguments.Text)))
}

func main() {
	client, err := literllm.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	messages := []literllm.Message{literllm.User("How many words has this sentence? Use the tool.")}
	for range 5 { // a model that never stops calling is stopped
		request := &literllm.ChatRequest{Model: "openai/gpt-4.1-mini", Messages: messages, Tools: tools}
		response, err := client.Chat(context.Background(), request)
		if err != nil {
			log.Fatal(err)
		}
		message := response.Choices[0].Message
		messages = append(messages, message)
		if len(message.ToolCalls) == 0 {
			fmt.Println(response.Text)
			return
		}
		for _, asked := range message.ToolCalls {
			result := call(asked.Function)
			fmt.Printf("%s(%s) = %s\n", asked.Function.Name, asked.Function.Arguments, result)
			messages = append(messages, literllm.ToolResult(asked.ID, result))
		}
	}
}
