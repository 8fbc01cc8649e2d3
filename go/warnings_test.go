package literllm_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// coloured is a request with a member that no provider knows.
func coloured(member string) *literllm.ChatRequest {
	request := prompt("Hello")
	request.Members = map[string]any{member: "canary"}
	return request
}

// A warning of an answer goes to the logger once, however the answer comes.
func TestWarningsGoToTheLogger(t *testing.T) {
	ways := map[string]func(*literllm.Client) error{
		"chat": func(c *literllm.Client) error {
			response, err := c.Chat(background, coloured("colour"))
			if err == nil && len(response.Warnings) != 1 {
				err = fmt.Errorf("%+v", response.Warnings)
			}
			return err
		},
		"stream": func(c *literllm.Client) (err error) {
			for _, err = range c.Stream(background, coloured("colour")) {
			}
			return err
		},
		"result": func(c *literllm.Client) error {
			stream, err := c.OpenStream(background, coloured("colour"))
			if err == nil {
				_, err = stream.Result()
			}
			return err
		},
		"fan-out": func(c *literllm.Client) error {
			_, err := c.GenerateMulti(background, coloured("colour"), []string{"openai", "fast"}, 2)
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			k, logger := logging(slog.LevelWarn)
			client := open(t, withFast(free("")), logger)
			for range 3 {
				if err := way(client); err != nil {
					t.Fatal(err)
				}
			}
			client.Close()
			equal(t, k.said(), []string{"WARN warning"})
			names, values := attributes(k.kept()[0])
			equal(t, names, []string{"request_id", "provider", "code", "param", "message"})
			equal(t, values["param"], any("colour"))
			if text := fmt.Sprint(values); strings.Contains(text, "canary") {
				t.Error(text)
			}
		})
	}
}

// Different texts are each said, and a logger that wants only errors gets none.
func TestWarningsByTextAndLevel(t *testing.T) {
	loud, first := logging(slog.LevelWarn)
	quiet, second := logging(slog.LevelError)
	for _, logger := range []literllm.Option{first, second} {
		client := open(t, free(""), logger)
		for _, member := range []string{"colour", "shape", "colour"} {
			if _, err := client.Chat(background, coloured(member)); err != nil {
				t.Fatal(err)
			}
		}
		client.Close()
	}
	equal(t, loud.said(), []string{"WARN warning", "WARN warning"})
	equal(t, len(quiet.said()), 0)
}

func init() {
	children["silent_warnings"] = func() {
		client, err := literllm.NewClient()
		if err != nil {
			panic(err)
		}
		response, err := client.Chat(background, coloured("colour"))
		if err != nil || len(response.Warnings) != 1 {
			panic(err)
		}
		client.Close()
		os.Exit(0)
	}
}

// Without a logger nothing is printed. The answer has its warnings.
func TestWarningsWithoutALogger(t *testing.T) {
	if output, err := child(t, "silent_warnings", free(""), "LITER_LLM_LOG=").CombinedOutput(); err != nil || len(output) != 0 {
		t.Errorf("%v %s", err, output)
	}
}
