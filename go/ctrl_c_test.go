package literllm_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

func waitInChat(ctx context.Context) error {
	client, err := literllm.NewClient()
	if err != nil {
		return err
	}
	go client.Chat(ctx, prompt("another"))
	go func() {
		for range client.Stream(ctx, prompt("a stream")) {
			continue
		}
	}()
	fmt.Println("waiting")
	_, err = client.Chat(ctx, prompt("Hello"))
	return err
}

func init() {
	children["interrupted"] = func() { panic(waitInChat(context.Background())) }
	children["notified"] = func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		if err := waitInChat(ctx); !errors.Is(err, context.Canceled) {
			panic(err)
		}
	}
}

// Ctrl-C ends a program with requests in flight or, if the program asks for that, its requests.
func TestCtrlC(t *testing.T) {
	// If SIGINT is ignored, as in a shell's background jobs, a child would inherit that. A signal that
	// is caught here has its default there.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt)
	defer signal.Stop(caught)
	openRequests(t, 0)
	for name, check := range map[string]func(*os.ProcessState) bool{
		"interrupted": func(state *os.ProcessState) bool {
			return state.Sys().(syscall.WaitStatus).Signal() == syscall.SIGINT
		},
		"notified": func(state *os.ProcessState) bool { return state.Success() },
	} {
		command := child(t, name, free("delay_ms=60000"))
		command.Stderr = os.Stderr
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(output).ReadString('\n'); line != "waiting\n" {
			t.Fatal(line, err)
		}
		openRequests(t, 3)
		command.Process.Signal(syscall.SIGINT)
		command.Wait()
		if !check(command.ProcessState) {
			t.Errorf("%s: %v", name, command.ProcessState)
		}
		openRequests(t, 0)
	}
}
