package literllm_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// The look-ups of the test's own process are those of the system.
func init() {
	children["slow_names"] = func() {
		client, err := literllm.NewClient()
		if err != nil {
			panic(err)
		}
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				request := prompt("Hello")
				request.Options = &literllm.Options{Provider: fmt.Sprintf("slow%d", i%4)}
				_, err := client.Chat(background, request)
				var failure *literllm.Error
				if !errors.As(err, &failure) || failure.Kind != literllm.ErrTimeout ||
					!strings.Contains(failure.Message, "look-up of the name slow") {
					panic(err)
				}
			})
		}
		all.Wait()
		// All of their look-ups are still running.
		begun := time.Now()
		ask(childTest{}, client, fast("Hello"))
		if took := time.Since(begun); took > 4*time.Second {
			panic(took)
		}
		os.Exit(0)
	}
}

func TestASlowResolverHoldsUpNoOtherHost(t *testing.T) {
	shim := filepath.Join(t.TempDir(), "slow_names.so")
	source := filepath.Join(root(), "bindings", "c", "tests", "common", "slow_names.c")
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "cc"
	}
	command := exec.Command(compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, output)
	}
	port := simulator[strings.LastIndex(simulator, ":"):]
	at := func(host string, milliseconds int) literllm.Config {
		config := free("")
		provider := config.Providers["openai"]
		provider.BaseURL = "http://" + host + ".test" + port + "/v1"
		provider.Timeouts = &literllm.Timeouts{ConnectMS: milliseconds}
		config.Providers["openai"] = provider
		return config
	}
	config := free("")
	config.Retry = &literllm.Retry{Off: true}
	beside(config, "fast", at("healthy", 5000))
	for i := range 4 {
		beside(config, fmt.Sprintf("slow%d", i), at(fmt.Sprintf("slow%d", i), 500))
	}
	output, err := child(t, "slow_names", config, "LD_PRELOAD="+shim).CombinedOutput()
	if err != nil {
		t.Errorf("%v %s", err, output)
	}
}
