// Package harness runs one side of one workload, in a process of its own; what worker.py is for Python.
//
//	bench SIDE KIND FLIGHTS BASE_URL COUNT TEXT REQUEST
package harness

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Key is the provider's.
const Key = "sk-benchmark"

// A Request is what both sides send, as a hand-written client would declare it.
type Request struct {
	Model               string    `json:"model"`
	Messages            []Message `json:"messages"`
	MaxCompletionTokens int       `json:"max_completion_tokens"`
	Temperature         float64   `json:"temperature"`
	Seed                int64     `json:"seed"`
	User                string    `json:"user"`
}

// A Message is one of the conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Completion is the answer, as a hand-written client would declare it.
type Completion struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []struct {
		Index        int     `json:"index"`
		Message      Message `json:"message"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage struct {
		PromptTokens     int64 `json:"prompt_tokens"`
		CompletionTokens int64 `json:"completion_tokens"`
		TotalTokens      int64 `json:"total_tokens"`
	} `json:"usage"`
}

// Answer reads a whole answer: its text and its tokens.
func Answer(body []byte) (string, int64, error) {
	var answer Completion
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", 0, err
	}
	if len(answer.Choices) == 0 {
		return "", 0, errors.New("no choices")
	}
	return answer.Choices[0].Message.Content, answer.Usage.TotalTokens, nil
}

// A Caller makes calls, one at a time: the answer's text and its tokens.
type Caller interface {
	Chat() (text string, tokens int64, err error)
}

// An Open makes what its callers share, and returns what makes a caller.
type Open func(baseURL string, request Request) func() Caller

// Main runs the side that the arguments name.
func Main(sides map[string]Open) {
	if len(os.Args) < 8 {
		Die("usage: bench SIDE KIND FLIGHTS BASE_URL COUNT TEXT REQUEST")
	}
	side, flights, count, text := os.Args[1], number(os.Args[3]), number(os.Args[5]), os.Args[6]
	var request Request
	if err := json.Unmarshal([]byte(os.Args[7]), &request); err != nil {
		Die(err)
	}
	slot := sides[side](os.Args[4], request)
	callers := make([]Caller, flights)
	for i := range callers {
		callers[i] = slot()
	}
	if os.Args[2] == "slow" {
		inFlight(callers, text)
		return
	}
	work(callers, max(count/4, 2*flights), text)
	fmt.Println(`{"ready": true}`)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		wall, cpu := time.Now(), cpuSeconds()
		units := work(callers, count, text)
		cpu = cpuSeconds() - cpu
		fmt.Printf("{\"units\": %d, \"cpu\": %.6f, \"wall\": %.6f, \"threads\": %d}\n", units, cpu,
			time.Since(wall).Seconds(), libraryThreads())
	}
}

// work shares calls between the callers, each on a goroutine of its own: the calls made.
func work(callers []Caller, count int, text string) int {
	each := max(count/len(callers), 1)
	var done sync.WaitGroup
	for _, c := range callers {
		done.Go(func() {
			for range each {
				check(c, text)
			}
		})
	}
	done.Wait()
	return each * len(callers)
}

func check(c Caller, text string) {
	got, tokens, err := c.Chat()
	if err != nil {
		Die(err)
	}
	if got != text || tokens <= 0 {
		Die("a wrong answer: ", got)
	}
}

// inFlight makes one call with each caller, all at once, and says how many threads the process had
// when standard input says that the provider holds them all.
func inFlight(callers []Caller, text string) {
	fmt.Println(`{"ready": true}`)
	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	done := make(chan int)
	go func() { done <- work(callers, len(callers), text) }()
	fmt.Println(`{"started": true}`)
	lines.Scan()
	tasks, _ := filepath.Glob("/proc/self/task/*")
	fmt.Printf("{\"threads\": %d, \"goroutines\": %d}\n", len(tasks), runtime.NumGoroutine())
	fmt.Printf("{\"units\": %d}\n", <-done)
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		Die(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// libraryThreads are the threads of liter-llm's runtime.
func libraryThreads() (threads int) {
	names, _ := filepath.Glob("/proc/self/task/*/comm")
	for _, name := range names {
		if text, _ := os.ReadFile(name); strings.HasPrefix(string(text), "liter-llm") {
			threads++
		}
	}
	return threads
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		Die(err)
	}
	return value
}

// Die ends the process.
func Die(why ...any) {
	fmt.Fprintln(os.Stderr, why...)
	os.Exit(1)
}
