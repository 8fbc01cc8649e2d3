package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	literllm "github.com/liter-llm/liter-llm/go"
)

// many reads short streams on kept connections, as many.py does: CONFIG MODEL COUNT THREADS.
func many(arguments []string) {
	client, err := literllm.NewClient(literllm.WithConfigJSON([]byte(arguments[0])))
	check(err)
	count, err := strconv.Atoi(arguments[2])
	check(err)
	threads, err := strconv.Atoi(arguments[3])
	check(err)
	var mutex sync.Mutex
	errors := []string{}
	slots := make(chan struct{}, threads)
	var done sync.WaitGroup
	for range count {
		slots <- struct{}{}
		done.Go(func() {
			defer func() { <-slots }()
			if problem := short(client, arguments[1]); problem != "" {
				mutex.Lock()
				defer mutex.Unlock()
				errors = append(errors, problem)
			}
		})
	}
	done.Wait()
	check(client.Close())
	whole := count - len(errors)
	slices.Sort(errors)
	out, err := json.Marshal(map[string]any{"whole": whole, "errors": slices.Compact(errors)})
	check(err)
	fmt.Println(string(out))
}

// short reads one stream; the text of its error, if it has one.
func short(client *literllm.Client, model string) string {
	text := ""
	request := &literllm.ChatRequest{Model: model, Prompt: "Hello", MaxTokens: 3,
		Options: &literllm.Options{Provider: "real"}}
	for chunk, err := range client.Stream(context.Background(), request) {
		if err != nil {
			return err.Error()
		}
		text += chunk.Text
	}
	if len(text) != 3 {
		return "a text that is not whole"
	}
	return ""
}
