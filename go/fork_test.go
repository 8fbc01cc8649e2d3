package literllm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A program that is started while requests are in flight inherits nothing of theirs, and does not
// disturb them. (Go has no fork without exec.)
func TestFork(t *testing.T) {
	client := open(t, free("delay_ms=3,chunks=20,interval_ms=1"))
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if i%2 == 0 {
					if _, err := client.Chat(context.Background(), prompt("Hello")); err != nil {
						t.Error(err)
					}
					continue
				}
				for _, err := range client.Stream(context.Background(), prompt("Hello")) {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range times() {
		output, err := child(t, "descriptors", literllm.Config{}).CombinedOutput()
		if err != nil {
			t.Errorf("%v %s", err, output)
		}
		for line := range strings.Lines(string(output)) {
			var is descriptor
			fmt.Sscan(line, &is.number, &is.target)
			ours := strings.HasPrefix(is.target, "socket:") || strings.Contains(is.target, "eventfd")
			if ours && !slices.Contains(inherited, is) {
				t.Errorf("inherited: %v", is)
			}
		}
	}
	close(stop)
	all.Wait()
}
