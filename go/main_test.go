package literllm_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// The test's program is also the program that tests of a process's end start. LITER_LLM_CHILD names
// its task there. These children find the simulator in LITER_LLM_TEST_SIMULATOR.
func TestMain(m *testing.M) {
	if name := os.Getenv("LITER_LLM_CHILD"); name != "" {
		simulator = os.Getenv("LITER_LLM_TEST_SIMULATOR")
		children[name]()
		return
	}
	stop, err := startSimulator()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	status := m.Run()
	stop()
	os.Exit(status)
}

// simulator is the URL of the scripted provider.
var simulator string

// replies are the answers of the simulator's cases, to the first request THEN to the second.
const replies = `
html            {"headers": {"content-type": "text/html"}, "body": "<html><body>502 Bad Gateway</body></html>"}
html_502        {"status": 502, "headers": {"content-type": "text/html"}, "body": "<html><body>502 Bad Gateway</body></html>"}
not_json        {"body": "{\"choices\":"}
empty_body      {"body": ""}
bad_key         {"status": 401, "body": {"error": {"message": "Incorrect API key provided.", "type": "error", "code": null}}}
forbidden       {"status": 403, "body": {"error": {"message": "Your organization is not allowed.", "type": "error", "code": null}}}
no_model        {"status": 404, "body": {"error": {"message": "The model does not exist.", "type": "error", "code": null}}}
rate_limit      {"status": 429, "headers": {"retry-after": "7", "x-request-id": "req_7"}, "body": {"error": {"message": "Rate limit reached.", "type": "error", "code": null}}}
overloaded      {"status": 503, "body": {"error": {"message": "Overloaded.", "type": "error", "code": null}}}
cut             {"body": {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": []}, "cut_at": 40, "cut": "close"}
reset           {"body": {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": []}, "cut_at": 40, "cut": "reset"}
never           {"never": true}
unicode         {"body": {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a\u0000b naïve 日本語 🎉 \ud83c\udf89 \u2028 \u0001 \\ \" 𝔘𝔫𝔦"}}]}}
numbers         {"body": {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "weird": 9007199254740993, "precise": 0.10, "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}]}}
huge            {"body": {"id": "c", "object": "chat.completion", "created": 18446744073709551615, "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}], "usage": {"prompt_tokens": 18446744073709551615}}}
tools           {"body": {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Zürich\"}"}}]}}]}}
broken_stream   {"sse": [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": null}]}]}
two_choices     {"sse": [{"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": null}]}, {"choices": [{"index": 0, "delta": {"content": "yes"}, "finish_reason": "stop"}]}, {"choices": [{"index": 1, "delta": {"content": "pe"}, "finish_reason": "stop"}]}, "[DONE]"]}
broken_once     {"sse": [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": null}]}]} THEN {"sse": [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}, "[DONE]"]}
overloaded_once {"status": 503, "body": {"error": {"message": "Overloaded.", "type": "error", "code": null}}} THEN {"body": {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}]}}
`

// root is the folder of the project.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// built is a file that cargo has made, the release build first.
func built(name string) (string, error) {
	for _, profile := range []string{"release", "debug"} {
		path := filepath.Join(root(), "target", profile, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not built: make build", name)
}

func startSimulator() (func(), error) {
	binary := os.Getenv("LITER_LLM_SIMULATOR")
	if binary == "" {
		var err error
		if binary, err = built("liter-llm-simulator"); err != nil {
			return nil, err
		}
	}
	cases, err := os.CreateTemp("", "liter-llm-go-*.jsonl")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(strings.TrimSpace(replies)) {
		name, reply, _ := strings.Cut(line, " ")
		exchanges := strings.ReplaceAll(strings.TrimSpace(reply), " THEN ", `}, {"reply": `)
		fmt.Fprintf(cases, `{"id": %q, "exchanges": [{"reply": %s}]}`+"\n", name, exchanges)
	}
	cases.Close()
	defer os.Remove(cases.Name()) // the simulator has read it when it listens
	command := exec.Command(binary, "--cases", cases.Name(), "--exit-with-stdin")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "listening on ") {
		return nil, fmt.Errorf("the simulator said %q: %v", line, err)
	}
	simulator = strings.TrimRight(strings.TrimPrefix(line, "listening on "), "/\n")
	return func() {
		input.Close()
		command.Wait()
	}, nil
}

// pointed is a configuration whose openai is at a path of the simulator.
func pointed(path string) literllm.Config {
	provider := literllm.Provider{BaseURL: simulator + path, APIKey: "sk-test", Model: "gpt-5-mini"}
	return literllm.Config{
		DefaultProvider: "openai",
		Providers:       map[string]literllm.Provider{"openai": provider},
	}
}

// free answers every request with an echo; knobs as in "delay_ms=50,chunks=3".
func free(knobs string) literllm.Config {
	if knobs == "" {
		return pointed("/v1")
	}
	return pointed("/sim," + knobs + "/v1")
}

// withFast adds a provider that answers at once, by the name of fast.
func withFast(config literllm.Config) literllm.Config {
	beside(config, "fast", free(""))
	return config
}

var runs atomic.Int64

// scripted answers the first request with the reply of this name. Nothing is retried.
func scripted(name string) literllm.Config {
	config := pointed(fmt.Sprintf("/case/run%d-%d/%s/v1", os.Getpid(), runs.Add(1), name))
	config.Retry = &literllm.Retry{Off: true}
	return config
}

// beside adds a provider of this name that is a copy of the one of another configuration.
func beside(config literllm.Config, name string, other literllm.Config) {
	provider := other.Providers["openai"]
	provider.Kind = "openai"
	config.Providers[name] = provider
}

func open(t testing.TB, config literllm.Config, options ...literllm.Option) *literllm.Client {
	t.Helper()
	client, err := literllm.NewClient(append(options, literllm.WithConfig(config))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// both runs a test on both paths of a call: on the caller's thread, and by the pump.
func both(t *testing.T, test func(t *testing.T, way literllm.Option)) {
	t.Run("inline", func(t *testing.T) { test(t, literllm.WithInlineCalls(1000)) })
	t.Run("pump", func(t *testing.T) { test(t, literllm.WithInlineCalls(0)) })
}

func prompt(text string) *literllm.ChatRequest { return &literllm.ChatRequest{Prompt: text} }

// fast is a prompt to the provider that answers at once.
func fast(text string) *literllm.ChatRequest {
	return &literllm.ChatRequest{Prompt: text, Options: &literllm.Options{Provider: "fast"}}
}

// ask is a prompt that must be answered with its echo.
func ask(t testing.TB, client *literllm.Client, request *literllm.ChatRequest) {
	t.Helper()
	response, err := client.Chat(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	if want := "You said: " + request.Prompt; response.Text != want {
		t.Fatalf("%q is not %q", response.Text, want)
	}
}

// times is the number of times that a test of a race repeats.
func times() int {
	if os.Getenv("LITER_LLM_LONG") != "" {
		return 200
	}
	return 20
}

// notShort leaves a test out with -short, which the race detector uses. There the test would cost
// much and find no races.
func notShort(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip(why)
	}
}

// eventually polls until a condition holds. state is what it looked at, for the failure.
func eventually(t testing.TB, condition func() (holds bool, state any)) {
	t.Helper()
	until := time.Now().Add(time.Minute)
	for {
		holds, state := condition()
		if holds {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("after a minute: %+v", state)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// stats are the simulator's counters.
type stats struct {
	Requests     int `json:"requests"`
	RequestsOpen int `json:"requests_open"`
}

func simulatorStats(t testing.TB) (s stats) {
	t.Helper()
	answer, err := http.Get(simulator + "/_sim/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// openRequests waits until the simulator works on this many requests.
func openRequests(t testing.TB, n int) {
	t.Helper()
	eventually(t, func() (bool, any) {
		s := simulatorStats(t)
		return s.RequestsOpen == n, s
	})
}

func count(t testing.TB, folder string) int {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func threads(t testing.TB) int { return count(t, "/proc/self/task") }

// fewThreads waits until there are no more threads than there were, but for some that wait in C and
// those on which Go runs what is ready: as many as it uses processors, whatever the program does.
func fewThreads(t testing.TB, before, more int) {
	t.Helper()
	more += runtime.GOMAXPROCS(0)
	eventually(t, func() (bool, any) {
		now := threads(t)
		return now <= before+more, fmt.Sprintf("%d threads, %d before", now, before)
	})
}

// descriptor is an open file of the process.
type descriptor struct {
	number int
	target string
}

// openFiles are the process's descriptors, except the standard ones.
func openFiles() (open []descriptor) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		number, _ := strconv.Atoi(entry.Name())
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && number > 2 {
			open = append(open, descriptor{number, target})
		}
	}
	return open
}

// inherited are the descriptors that were open from the start. They belong to the caller of the
// tests.
var inherited = openFiles()

func descriptors(t testing.TB) int { return count(t, "/proc/self/fd") }

// resident is the process's memory in bytes.
func resident(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	fmt.Sscan(string(text), &size, &pages)
	return pages * os.Getpagesize()
}

// children are what the test's program does as a child, by name.
var children = map[string]func(){}

// child starts this program again as one of children, at the environment's configuration.
func child(t testing.TB, name string, config literllm.Config, variables ...string) *exec.Cmd {
	t.Helper()
	document, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "LITER_LLM_CHILD="+name, "LITER_LLM_TEST_SIMULATOR="+simulator,
		"LITER_LLM_CONFIG="+string(document), "GORACE=atexit_sleep_ms=0")
	command.Env = append(command.Env, variables...)
	return command
}
