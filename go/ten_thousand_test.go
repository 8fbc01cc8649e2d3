package literllm_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// The test runs in a process of its own, whose threads are counted from the start.
func init() {
	children["ten_thousand"] = func() {
		t := childTest{}
		client, err := literllm.NewClient()
		if err != nil {
			panic(err)
		}
		defer client.Close()
		const calls = 10_000
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				ctx, request := ctx, prompt(strconv.Itoa(i))
				if i%2 == 0 {
					ctx = context.Background()
					request.Options = &literllm.Options{Provider: "fast"}
				}
				response, err := client.Chat(ctx, request)
				if i%2 == 0 && (err != nil || response.Text != "You said: "+request.Prompt) {
					panic(fmt.Sprint(response, err))
				}
				if i%2 == 1 && !errors.Is(err, context.Canceled) {
					panic(err)
				}
			})
		}
		most := 0
		eventually(t, func() (bool, any) {
			most = max(most, threads(t))
			document, _ := client.Metrics(literllm.MetricsJSON)
			return strings.HasPrefix(document, `{"in_flight":10000,`), document
		})
		fmt.Println("in flight")
		eventually(t, func() (bool, any) { // one half is answered
			most = max(most, threads(t))
			document, _ := client.Metrics(literllm.MetricsJSON)
			return strings.HasPrefix(document, `{"in_flight":5000,`), document
		})
		openRequests(t, calls/2)
		cancel()
		all.Wait()
		openRequests(t, 0)
		// Four of these are the engine's. Go has as many more as it uses processors, for ready work.
		if most = max(most, threads(t)); most >= 16+max(4, runtime.GOMAXPROCS(0)) {
			panic(fmt.Sprint(most, " threads"))
		}
		fmt.Print(most)
	}
}

func TestTenThousandInFlight(t *testing.T) {
	notShort(t, "it counts threads and time")
	// The server holds its answers back until all are in flight, however long that takes.
	release := make(chan struct{})
	patient := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Messages []struct{ Content string } }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		<-release
		fmt.Fprintf(w, `{"choices":[{"message":{"content":"You said: %s"},"finish_reason":"stop"}]}`, asked.Messages[0].Content)
	}))
	defer patient.Close()
	config := withFast(free("delay_ms=600000"))
	held := config.Providers["fast"]
	held.BaseURL = patient.URL
	config.Providers["fast"] = held
	command := child(t, "ten_thousand", config, "LITER_LLM_WORKER_THREADS=4")
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(output)
	line, _ := said.ReadString('\n')
	close(release)
	rest, _ := io.ReadAll(said)
	if err := command.Wait(); err != nil || line != "in flight\n" {
		t.Fatalf("%v %s", err, line)
	}
	t.Logf("%s threads", rest)
}

// childTest lets a child use the helpers of tests. A failure there ends the process.
type childTest struct{ testing.TB }

func (childTest) Helper() {}

func (childTest) Fatal(arguments ...any) { childTest{}.Fatalf("%s", fmt.Sprint(arguments...)) }

func (childTest) Fatalf(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(2)
}
