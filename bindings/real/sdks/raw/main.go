// Raw reads answers with net/http and encoding/json alone: `raw PLAN`. Plan and outcomes are those
// of sdk.py. It stands for Go's SDKs, which do no more.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

type row struct {
	Case    string          `json:"case"`
	Format  string          `json:"format"`
	BaseURL string          `json:"base_url"`
	Key     string          `json:"key"`
	Body    json.RawMessage `json:"body"`
}

type call struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type outcome struct {
	Case   string   `json:"case"`
	Status int      `json:"status,omitempty"`
	Text   string   `json:"text"`
	Deltas []string `json:"deltas"`
	Finish string   `json:"finish"`
	Usage  *[3]int  `json:"usage"`
	Calls  []call   `json:"calls"`
	Pieces []string `json:"pieces"`
}

// A document is an answer or an event, in either format.
type document struct {
	Choices []struct {
		Message, Delta struct {
			Content   string `json:"content"`
			ToolCalls []struct {
				Index    int  `json:"index"`
				Function call `json:"function"`
			} `json:"tool_calls"`
		}
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Usage   *usage  `json:"usage"`
	Type    string  `json:"type"`
	Content []block `json:"content"`
	Block   *block  `json:"content_block"`
	Stop    string  `json:"stop_reason"`
	Delta   struct {
		Text    string `json:"text"`
		Partial string `json:"partial_json"`
		Stop    string `json:"stop_reason"`
	} `json:"delta"`
	Message *document `json:"message"`
}

type block struct {
	Type  string          `json:"type"`
	Text  string          `json:"text"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	Input  *int `json:"input_tokens"`
	Output int  `json:"output_tokens"`
	Cached int  `json:"cache_read_input_tokens"`
}

var finishes = map[string]string{"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length",
	"tool_use": "tool_calls"}

func main() {
	plan, err := os.ReadFile(os.Args[1])
	check(err)
	for line := range strings.Lines(string(plan)) {
		var r row
		check(json.Unmarshal([]byte(line), &r))
		out, err := json.Marshal(r.send())
		check(err)
		fmt.Println(string(out))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (r row) send() *outcome {
	out := &outcome{Case: r.Case, Deltas: []string{}, Calls: []call{}, Pieces: []string{}}
	path := "/chat/completions"
	if r.Format == "anthropic" {
		path = "/v1/messages"
	}
	request, err := http.NewRequest("POST", r.BaseURL+path, bytes.NewReader(r.Body))
	check(err)
	// llama.cpp closes a connection right after a stream; net/http would lose the next request.
	request.Close = true
	request.Header.Set("content-type", "application/json")
	request.Header.Set("authorization", "Bearer "+r.Key)
	request.Header.Set("x-api-key", r.Key)
	request.Header.Set("anthropic-version", "2023-06-01")
	answer, err := http.DefaultClient.Do(request)
	check(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		out.Status = answer.StatusCode
		return out
	}
	if !strings.HasPrefix(answer.Header.Get("content-type"), "text/event-stream") {
		var whole document
		check(json.NewDecoder(answer.Body).Decode(&whole))
		out.whole(&whole)
		return out
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found || data == "[DONE]" {
			continue
		}
		var event document
		check(json.Unmarshal([]byte(data), &event))
		out.event(&event)
	}
	check(lines.Err())
	out.Text = strings.Join(out.Deltas, "")
	return out
}

func (out *outcome) whole(answer *document) {
	out.count(answer.Usage)
	for _, choice := range answer.Choices {
		out.Text, out.Finish = choice.Message.Content, choice.Finish
		for _, one := range choice.Message.ToolCalls {
			out.Calls = append(out.Calls, one.Function)
		}
	}
	for _, part := range answer.Content {
		out.Finish = finishes[answer.Stop]
		out.Text += part.Text
		if part.Type == "tool_use" {
			out.Calls = append(out.Calls, call{part.Name, string(part.Input)})
		}
	}
}

func (out *outcome) event(event *document) {
	out.count(event.Usage)
	if event.Message != nil {
		out.count(event.Message.Usage)
	}
	for _, choice := range event.Choices {
		out.text(choice.Delta.Content)
		if choice.Finish != "" {
			out.Finish = choice.Finish
		}
		for _, one := range choice.Delta.ToolCalls {
			if one.Index == len(out.Calls) {
				out.Calls = append(out.Calls, call{Name: one.Function.Name})
			}
			out.piece(one.Index, one.Function.Arguments)
		}
	}
	if event.Block != nil && event.Block.Type == "tool_use" {
		out.Calls = append(out.Calls, call{Name: event.Block.Name})
	}
	out.text(event.Delta.Text)
	out.piece(len(out.Calls)-1, event.Delta.Partial)
	if event.Delta.Stop != "" {
		out.Finish = finishes[event.Delta.Stop]
	}
}

func (out *outcome) text(delta string) {
	if delta != "" {
		out.Deltas = append(out.Deltas, delta)
	}
}

func (out *outcome) piece(index int, arguments string) {
	if arguments != "" {
		out.Calls[index].Arguments += arguments
		out.Pieces = append(out.Pieces, arguments)
	}
}

// count takes what a document counts; Anthropic's streams count the prompt first, the answer last.
func (out *outcome) count(counted *usage) {
	if counted == nil {
		return
	}
	if out.Usage == nil {
		out.Usage = &[3]int{}
	}
	switch {
	case counted.Prompt > 0:
		*out.Usage = [3]int{counted.Prompt, counted.Completion, counted.Details.Cached}
	default:
		if counted.Input != nil {
			out.Usage[0], out.Usage[2] = *counted.Input+counted.Cached, counted.Cached
		}
		out.Usage[1] = counted.Output
	}
}
