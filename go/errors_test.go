package literllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

var sentinels = map[string]error{
	"ErrInvalidRequest": literllm.ErrInvalidRequest, "ErrContextLength": literllm.ErrContextLength,
	"ErrUnsupported": literllm.ErrUnsupported, "ErrAuthentication": literllm.ErrAuthentication,
	"ErrPermission": literllm.ErrPermission, "ErrNotFound": literllm.ErrNotFound,
	"ErrRateLimit": literllm.ErrRateLimit, "ErrQuota": literllm.ErrQuota,
	"ErrContentFilter": literllm.ErrContentFilter, "ErrUnavailable": literllm.ErrUnavailable,
	"ErrBadResponse": literllm.ErrBadResponse, "ErrStreamBroken": literllm.ErrStreamBroken,
	"ErrConnection": literllm.ErrConnection, "ErrTimeout": literllm.ErrTimeout,
	"ErrCancelled": literllm.ErrCancelled, "ErrInternal": literllm.ErrInternal,
}

// Every kind of the project's table has its sentinel, and only that one.
func TestEveryKind(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(), "bindings/conformance/errors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table []struct {
		Kind      string
		Go        string
		Retryable bool
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	if len(table) != len(sentinels) {
		t.Errorf("the table has %d kinds, the package %d", len(table), len(sentinels))
	}
	for _, row := range table {
		document := fmt.Sprintf(`{"error":{"kind":%q,"message":"m","retryable":%v}}`, row.Kind, row.Retryable)
		failure := fmt.Errorf("wrapped: %w", literllm.ErrorFrom(document))
		for name, sentinel := range sentinels {
			if errors.Is(failure, sentinel) != (name == row.Go) {
				t.Errorf("%s and %s", row.Kind, name)
			}
		}
		if errors.Is(failure, context.DeadlineExceeded) != (row.Kind == "timeout") ||
			errors.Is(failure, context.Canceled) != (row.Kind == "cancelled") {
			t.Errorf("%s and the context's errors", row.Kind)
		}
	}
}

func TestEveryMemberOfAnError(t *testing.T) {
	document := `{"error":{"kind":"rate_limit","message":"m","reason":"w","provider":"p","model":"mo","status":429,` +
		`"code":"c","retryable":true,"retry_after_ms":1500,"request_id":"r","param":"x",` +
		`"partial":{"text":"t"},"attempts":[{"target":"p/mo","status":429,"kind":"rate_limit","ms":3}]}}`
	e := literllm.ErrorFrom(document)
	want := []any{e.Kind, e.Message, e.Reason, e.Provider, e.Model, e.Status, e.Code, e.Retryable, e.RetryAfter,
		e.RequestID, e.Param, e.Partial.Text, e.Attempts[0]}
	got := []any{literllm.Kind("rate_limit"), "m", "w", "p", "mo", 429, "c", true, 1500 * time.Millisecond,
		"r", "x", "t", literllm.Attempt{Target: "p/mo", Status: 429, Kind: "rate_limit", MS: 3}}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("%v is not %v", got[i], want[i])
		}
	}
	if e.Document() != document || e.Error() != "m" {
		t.Error(e.Document(), e)
	}
}

func TestBadAnswers(t *testing.T) {
	kinds := map[string]struct {
		kind    error
		message string
	}{
		"html":       {literllm.ErrBadResponse, "(?i)html|JSON"},
		"html_502":   {literllm.ErrUnavailable, "HTML"},
		"not_json":   {literllm.ErrBadResponse, "JSON"},
		"empty_body": {literllm.ErrBadResponse, "empty|JSON"},
		"bad_key":    {literllm.ErrAuthentication, "Incorrect API key"},
		"forbidden":  {literllm.ErrPermission, "not allowed"},
		"no_model":   {literllm.ErrNotFound, "does not exist"},
		"rate_limit": {literllm.ErrRateLimit, "Rate limit"},
		"overloaded": {literllm.ErrUnavailable, "Overloaded"},
		"cut":        {literllm.ErrConnection, "."},
		"reset":      {literllm.ErrConnection, "."},
	}
	both(t, func(t *testing.T, way literllm.Option) {
		for name, want := range kinds {
			_, err := open(t, scripted(name), way).Chat(context.Background(), prompt("Hello"))
			var failure *literllm.Error
			if !errors.As(err, &failure) || !errors.Is(err, want.kind) || failure.Provider != "openai" ||
				!regexp.MustCompile(want.message).MatchString(failure.Message) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if name == "rate_limit" && (failure.Status != 429 || failure.RetryAfter != 7*time.Second ||
				failure.RequestID != "req_7" || !failure.Retryable) {
				t.Errorf("%+v", failure)
			}
		}
	})
}

func TestNoAnswer(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		request := prompt("Hello")
		request.Options = &literllm.Options{Timeout: 50 * time.Millisecond}
		_, err := open(t, scripted("never"), way).Chat(context.Background(), request)
		var timeout interface{ Timeout() bool }
		if !errors.Is(err, literllm.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) ||
			!errors.As(err, &timeout) || !timeout.Timeout() {
			t.Error(err)
		}
	})
}

func TestARefusedConnection(t *testing.T) {
	// The port is taken, so that no other program has it, and nothing listens on it.
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(socket)
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprint("127.0.0.1:", bound.(*syscall.SockaddrInet4).Port)
	config := literllm.Config{Providers: map[string]literllm.Provider{
		"openai": {BaseURL: "http://" + address + "/v1", APIKey: "sk-secret"},
	}, Retry: &literllm.Retry{Off: true}}
	_, err = open(t, config).Chat(context.Background(), &literllm.ChatRequest{Model: "openai/gpt-5", Prompt: "x"})
	var failure *literllm.Error
	if !errors.As(err, &failure) || failure.Kind != "connection" || !failure.Retryable ||
		regexp.MustCompile("secret").MatchString(failure.Document()) {
		t.Error(err)
	}
}

func TestMaxInFlight(t *testing.T) {
	config := free("delay_ms=30000")
	config.MaxInFlight = 1
	client := open(t, config)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := client.Chat(ctx, prompt("Hello"))
		ended <- err
	}()
	openRequests(t, 1)
	_, err := client.Chat(context.Background(), prompt("Hello"))
	var failure *literllm.Error
	if !errors.As(err, &failure) || failure.Kind != "rate_limit" || !failure.Retryable {
		t.Error(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The error of a deadline says whom the engine asked and what it waited for, where the engine knows.
func TestTheErrorOfADeadlineNamesTheTarget(t *testing.T) {
	ctx, stop := context.WithDeadlineCause(background, time.Now().Add(time.Millisecond), errors.New("my own reason"))
	defer stop()
	engine := &literllm.Error{
		Kind: "timeout", Provider: "openai", Model: "m", Message: "openai/m: timed out: gave up",
		Attempts: []literllm.Attempt{{Target: "openai/m", Kind: "timeout"}},
	}
	// The engine's report may come before the context is over.
	err := literllm.EndedBy(ctx, engine)
	if want := "openai/m: timed out: gave up; the context's deadline passed: give more time, or send the same again"; err.Message != want {
		t.Errorf("%s\nis not\n%s", err, want)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, context.Cause(ctx)) || ctx.Err() == nil ||
		len(err.Attempts) != 1 || !err.Retryable {
		t.Errorf("%+v", err)
	}
	err = literllm.EndedBy(ctx, &literllm.Error{Kind: "cancelled", Message: "cancelled"})
	if want := "the context's deadline passed: give more time, or send the same again"; err.Message != want {
		t.Errorf("%s\nis not\n%s", err, want)
	}
}
