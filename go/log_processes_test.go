package literllm_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

func init() {
	children["panicking_handler"] = func() {
		k, logger := logging(slog.LevelInfo)
		k.before = func(slog.Record) {
			if len(k.kept()) == 0 {
				k.mutex.Lock()
				k.records = append(k.records, slog.Record{Message: "panics"})
				k.mutex.Unlock()
				panic("the handler's own words")
			}
		}
		client, err := literllm.NewClient(logger)
		if err != nil {
			panic(err)
		}
		for range 2 {
			ask(childTest{}, client, prompt("Hello"))
		}
		client.Close()
		fmt.Print(k.said())
	}
	children["log_by_environment"] = func() {
		fmt.Println(literllm.Generate("canary", 0, -1))
		client, err := literllm.NewClient()
		if err != nil {
			panic(err)
		}
		request := prompt("canary")
		request.Members = map[string]any{"colour": "canary"}
		for _, err := range client.Stream(background, request) {
			fmt.Println(err)
			break
		}
		if _, err := client.Chat(background, request); err != nil {
			panic(err)
		}
		os.Exit(0) // without Close
	}
}

// A handler that panics ends nothing, and is no secret.
func TestAPanickingHandler(t *testing.T) {
	command := child(t, "panicking_handler", free(""))
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil || string(out) != "[INFO panics INFO call]" {
		t.Errorf("%v %s", err, out)
	}
	for _, part := range []string{"the handler of a client's logger panicked", "the handler's own words", "logs_test.go"} {
		if !strings.Contains(said.String(), part) {
			t.Errorf("%q is not in %s", part, &said)
		}
	}
}

// LITER_LLM_LOG asks for lines on stderr, and the program needs no code for them.
func TestLogsByTheEnvironment(t *testing.T) {
	said := func(word string) (events []string, text string) {
		command := child(t, "log_by_environment", free(""), "LITER_LLM_LOG="+word)
		stderr, err := command.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(stderr)
		if err != nil {
			t.Error(err)
		}
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
		text = string(all)
		if strings.Contains(text, "canary") || strings.Contains(text, "sk-test") {
			t.Error(text)
		}
		for line := range strings.Lines(text) {
			if rest, ours := strings.CutPrefix(line, "liter_llm time="); ours {
				words := strings.Fields(rest)
				events = append(events, words[1]+" "+words[2])
			}
		}
		return events, text
	}
	warning, call := "level=WARN msg=warning", "level=INFO msg=call"
	for _, word := range []string{"", "off", "error"} {
		if events, text := said(word); len(events) != 0 || text != "" {
			t.Errorf("%q: %s", word, text)
		}
	}
	for _, word := range []string{"warn", " WARNING"} {
		events, _ := said(word)
		equal(t, events, []string{warning})
	}
	events, _ := said("info")
	slices.Sort(events) // the stream may be cancelled before it has its answer, with the warning
	equal(t, events, []string{call, call, call, warning})
	if events, _ := said("debug"); len(events) != 7 {
		t.Error(events)
	}
	if events, text := said("loud"); len(events) != 0 ||
		text != "liter_llm: LITER_LLM_LOG is one of error, warn, info, debug, off: nothing is logged\n" {
		t.Error(text)
	}
}
