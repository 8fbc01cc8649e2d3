// What was sent: warnings tell what changed on the way, attempts where it went, logs all of it.
//
// LITER_LLM_LOG_BODIES=1 has the request in the log, at debug. It is for a developer's machine.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A printer is a handler that prints the members it knows.
type printer struct{ slog.Handler }

func (printer) Enabled(context.Context, slog.Level) bool { return true }

func (printer) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(member slog.Attr) bool {
		switch member.Key {
		case "request", "provider", "outcome":
			fmt.Printf("%s: %s: %s\n", record.Message, member.Key, member.Value)
		}
		return true
	})
	return nil
}

func main() {
	os.Setenv("LITER_LLM_LOG_BODIES", "1") // read when a client is made
	logger := slog.New(printer{slog.DiscardHandler})
	client, err := literllm.NewClient(literllm.WithLogger(logger))
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Chat(context.Background(), &literllm.ChatRequest{
		Model:  "anthropic/claude-haiku-4-5",
		Prompt: "Hello",
		Seed:   literllm.Ptr[int64](7),
	})
	if err != nil {
		log.Fatal(err)
	}
	client.Close() // the last records are written here

	for _, warning := range response.Warnings {
		fmt.Printf("changed: %s: %s\n", warning.Param, warning.Code)
	}
	for _, attempt := range response.Liter.Attempts {
		fmt.Printf("asked: %s: %d\n", attempt.Target, attempt.Status)
	}
}
