package literllm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// In a process of its own, whose threads are counted from the start.
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
		openRequests(t, calls/2) // the others have been answered
		most = max(most, threads(t))
		cancel()
		all.Wait()
		openRequests(t, 0)
		if most = max(most, threads(t)); most >= 20 {
			panic(fmt.Sprint(most, " threads"))
		}
		fmt.Print(most)
	}
}

func TestTenThousandInFlight(t *testing.T) {
	notShort(t, "it counts threads and time")
	config := withFast(free("delay_ms=60000"))
	patient := config.Providers["fast"]
	patient.BaseURL = simulator + "/sim,delay_ms=3000/v1"
	config.Providers["fast"] = patient
	output, err := child(t, "ten_thousand", config).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %.2000s", err, output)
	}
	t.Logf("%s threads", output)
}

// childTest lets a child use the helpers of tests: what fails there ends the process.
type childTest struct{ testing.TB }

func (childTest) Helper() {}

func (childTest) Fatal(arguments ...any) { childTest{}.Fatalf("%s", fmt.Sprint(arguments...)) }

func (childTest) Fatalf(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(2)
}
