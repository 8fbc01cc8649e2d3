// A hundred questions at once, at most twenty in flight, with a progress bar.
//
// The engine waits and tries again where a provider's limit is reached. What fails all the same is
// counted and does not end the rest.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	literllm "github.com/liter-llm/liter-llm/go"
)

type answered struct {
	number   int
	response *literllm.Response
	err      error
}

func main() {
	client, err := literllm.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	const questions = 100
	answers, places := make(chan answered), make(chan struct{}, 20)
	for number := range questions {
		go func() {
			places <- struct{}{}
			defer func() { <-places }()
			response, err := client.Chat(context.Background(), &literllm.ChatRequest{
				Model:  "openai/gpt-4.1-mini",
				Prompt: fmt.Sprintf("What is %d squared?", number),
			})
			answers <- answered{number, response, err}
		}()
	}

	texts, failed := map[int]string{}, 0
	for done := 1; done <= questions; done++ {
		answer := <-answers
		if answer.err != nil {
			failed++
		} else {
			texts[answer.number] = answer.response.Text
		}
		bar := strings.Repeat("#", done*40/questions)
		fmt.Fprintf(os.Stderr, "\r[%-40s] %d/%d", bar, done, questions)
	}
	fmt.Fprintln(os.Stderr)
	fmt.Printf("%d answers, %d failed\n%s\n", len(texts), failed, texts[7])
}
