// Go's part of the demo; see ask.py.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

type row struct {
	Chat     *literllm.Response `json:"chat"`
	ChatMS   float64            `json:"chat_ms"`
	Stream   *literllm.Response `json:"stream"`
	Chunks   int                `json:"chunks"`
	FirstMS  float64            `json:"first_ms"`
	StreamMS float64            `json:"stream_ms"`
}

func main() {
	if err := ask(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(question string, targets []string) error {
	client, err := literllm.NewClient()
	if err != nil {
		return err
	}
	defer client.Close()
	for _, target := range targets {
		request := &literllm.ChatRequest{Model: target, Prompt: question, MaxTokens: 200}
		var r row
		started := time.Now()
		if r.Chat, err = client.Chat(context.Background(), request); err != nil {
			return err
		}
		r.ChatMS = ms(started)
		started = time.Now()
		for chunk, err := range client.Stream(context.Background(), request) {
			if err != nil {
				return err
			}
			if chunk.Text != "" {
				if r.Chunks++; r.Chunks == 1 {
					r.FirstMS = ms(started)
				}
			}
			r.Stream = chunk.Response
		}
		r.StreamMS = ms(started)
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1e3 }
