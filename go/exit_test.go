package literllm_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// busy starts calls and streams of every kind, and returns when they are in flight.
func busy() {
	client, err := literllm.NewClient()
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if _, err := client.Chat(ctx, fast("warm")); err != nil {
		panic(err)
	}
	started := make(chan struct{}, 20)
	forever := func(work func()) {
		go func() {
			started <- struct{}{}
			for {
				work()
			}
		}()
	}
	answered := make(chan struct{}, 1<<20)
	for range 4 {
		forever(func() { client.Chat(ctx, prompt("Hello")) })
		forever(func() {
			client.Chat(ctx, fast("Hello"))
			answered <- struct{}{}
		})
		forever(func() {
			for range client.Stream(ctx, fast("Hello")) {
				continue
			}
		})
		forever(func() {
			for range client.Stream(ctx, prompt("Hello")) {
				break
			}
		})
		forever(runtime.GC)
	}
	for range 20 {
		<-started
	}
	for range 8 { // all have had their turns
		<-answered
	}
}

func init() {
	children["exit_return"] = busy
	children["exit_status"] = func() {
		busy()
		os.Exit(7)
	}
	children["exit_panic"] = func() {
		busy()
		panic("the end")
	}
	children["exit_goexit"] = func() { // main's goroutine ends, the program goes on
		busy()
		go func() { os.Exit(0) }()
		runtime.Goexit()
	}
}

// A program with work in flight ends at once, with its own status, and without a message.
func TestExit(t *testing.T) {
	config := withFast(free("delay_ms=60000"))
	for name, want := range map[string]struct {
		status int
		says   string
	}{"exit_return": {0, ""}, "exit_status": {7, ""}, "exit_panic": {2, "panic: the end"}, "exit_goexit": {0, ""}} {
		for range times() {
			begin := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			command := child(t, name, config)
			stop := context.AfterFunc(ctx, func() { command.Process.Kill() })
			output, err := command.CombinedOutput()
			stop()
			cancel()
			said := string(output)
			if command.ProcessState.ExitCode() != want.status || !strings.HasPrefix(said, want.says) || want.says == "" && said != "" {
				t.Fatalf("%s: %v after %v: %.2000s", name, err, time.Since(begin), said)
			}
		}
	}
	openRequests(t, 0)
}

func init() {
	// Prints its open descriptors.
	children["descriptors"] = func() {
		for _, open := range openFiles() {
			fmt.Println(open.number, open.target)
		}
	}
}
