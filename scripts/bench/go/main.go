// One side of one workload, in a process of its own; what worker.py is for Python.
//
//	bench SIDE KIND FLIGHTS BASE_URL COUNT TEXT REQUEST
package main

import (
	"bufio"
	"encoding/json"
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

const key = "sk-benchmark"

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

// A caller makes calls, one at a time: the answer's text and its tokens.
type caller interface {
	chat() (text string, tokens int64, err error)
}

func main() {
	if len(os.Args) < 8 {
		die("usage: bench SIDE KIND FLIGHTS BASE_URL COUNT TEXT REQUEST")
	}
	side, flights, count, text := os.Args[1], number(os.Args[3]), number(os.Args[5]), os.Args[6]
	var request Request
	if err := json.Unmarshal([]byte(os.Args[7]), &request); err != nil {
		die(err)
	}
	open := map[string]func(string, Request) func() caller{"raw": openRaw, "liter": openLiter}[side]
	slot := open(os.Args[4], request)
	callers := make([]caller, flights)
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
func work(callers []caller, count int, text string) int {
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

func check(c caller, text string) {
	got, tokens, err := c.chat()
	if err != nil {
		die(err)
	}
	if got != text || tokens <= 0 {
		die("a wrong answer: ", got)
	}
}

// inFlight makes one call with each caller, all at once, and says how many threads the process had
// when standard input says that the provider holds them all.
func inFlight(callers []caller, text string) {
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
		die(err)
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
		die(err)
	}
	return value
}

func die(why ...any) {
	fmt.Fprintln(os.Stderr, why...)
	os.Exit(1)
}
