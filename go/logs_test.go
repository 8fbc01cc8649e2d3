package literllm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	literllm "github.com/liter-llm/liter-llm/go"
)

// A keeper is a handler that keeps what it is given.
type keeper struct {
	slog.Leveler
	mutex   sync.Mutex
	records []slog.Record
	before  func(slog.Record) // what a handler may do
}

func (k *keeper) Enabled(_ context.Context, level slog.Level) bool { return level >= k.Level() }
func (k *keeper) WithAttrs([]slog.Attr) slog.Handler               { return k }
func (k *keeper) WithGroup(string) slog.Handler                    { return k }

func (k *keeper) Handle(_ context.Context, record slog.Record) error {
	if k.before != nil {
		k.before(record)
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.records = append(k.records, record)
	return errors.New("which is the handler's own affair")
}

func (k *keeper) kept() []slog.Record {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return append([]slog.Record(nil), k.records...)
}

// said is what was kept, as "LEVEL event".
func (k *keeper) said() (all []string) {
	for _, record := range k.kept() {
		all = append(all, record.Level.String()+" "+record.Message)
	}
	return all
}

func attributes(record slog.Record) (names []string, values map[string]any) {
	values = map[string]any{}
	record.Attrs(func(attribute slog.Attr) bool {
		names = append(names, attribute.Key)
		values[attribute.Key] = attribute.Value.Any()
		return true
	})
	return names, values
}

func logging(level slog.Leveler) (*keeper, literllm.Option) {
	k := &keeper{Leveler: level}
	return k, literllm.WithLogger(slog.New(k))
}

func equal[T any](t *testing.T, found, expected T) {
	t.Helper()
	if !reflect.DeepEqual(found, expected) {
		t.Errorf("%v\nis not\n%v", found, expected)
	}
}

// A record has the names and the order of docs/logs.md.
func TestLogsOfACall(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		k, logger := logging(slog.LevelDebug)
		begun := time.Now().Add(-time.Second)
		client := open(t, free(""), logger, way)
		ask(t, client, prompt("canary"))
		client.Close()
		equal(t, k.said(), []string{"DEBUG attempt", "INFO call"})
		record := k.kept()[1]
		if record.Time.Before(begun) || record.Time.After(time.Now()) {
			t.Error(record.Time)
		}
		names, values := attributes(record)
		equal(t, names, []string{
			"request_id", "provider", "model", "outcome", "status", "latency_ms", "queue_ms", "attempts",
			"tokens_in", "tokens_out", "tokens_cached", "cost_usd", "prompt_bytes", "stream",
		})
		equal(t, values["outcome"], any("ok"))
		equal(t, values["status"], any(int64(200)))
		equal(t, values["stream"], any(false))
		if latency, ok := values["latency_ms"].(float64); !ok || latency <= 0 {
			t.Error(values)
		}
		if text := fmt.Sprint(k.kept()); strings.Contains(text, "canary") || strings.Contains(text, "sk-test") {
			t.Error(text)
		}
	})
}

// What a call meets is a warning, and its failure is an error.
func TestLogsOfFailures(t *testing.T) {
	k, logger := logging(slog.LevelInfo)
	config := scripted("overloaded_once")
	config.Retry = nil
	client := open(t, config, logger)
	if _, err := client.Chat(background, prompt("Hello")); err != nil {
		t.Fatal(err)
	}
	client.Close()
	equal(t, k.said(), []string{"WARN retry", "INFO call"})
	if _, values := attributes(k.kept()[0]); !strings.Contains(values["message"].(string), "unavailable (503)") {
		t.Error(values)
	}
	for name, status := range map[string]int64{"bad_key": 401, "rate_limit": 429} {
		k, logger := logging(slog.LevelWarn)
		client := open(t, scripted(name), logger)
		if _, err := client.Chat(background, prompt("Hello")); err == nil {
			t.Error("no error")
		}
		client.Close()
		said := k.said()
		equal(t, said[len(said)-1], "ERROR call")
		_, values := attributes(k.kept()[len(said)-1])
		equal(t, values["status"], any(status))
	}
}

// A client closes over what runs, and its logger hears of that too.
func TestLogsOfWhatCloseCancels(t *testing.T) {
	k, logger := logging(slog.LevelInfo)
	client := open(t, free("delay_ms=30000"), logger)
	stream, err := client.OpenStream(background, prompt("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	openRequests(t, 1)
	client.Close()
	equal(t, k.said(), []string{"INFO call"})
	_, values := attributes(k.kept()[0])
	equal(t, values["outcome"], any("cancelled"))
}

// Each client has its own logger, or none.
func TestLogsAreThoseOfOneClient(t *testing.T) {
	one, first := logging(slog.LevelInfo)
	two, second := logging(slog.LevelInfo)
	clients := []*literllm.Client{open(t, free(""), first), open(t, free(""), second), open(t, free(""))}
	for i, client := range clients {
		for range i + 1 {
			ask(t, client, prompt("Hello"))
		}
		client.Close()
	}
	equal(t, []int{len(one.kept()), len(two.kept())}, []int{1, 2})
}

// The engine makes only the records that the logger wants, and hears when that changes.
func TestLogLevels(t *testing.T) {
	level := new(slog.LevelVar)
	for number, each := range []slog.Level{slog.LevelError + 1, slog.LevelError, slog.LevelWarn, slog.LevelInfo, slog.LevelDebug} {
		_, logger := logging(each)
		equal(t, literllm.LogLevels(open(t, free(""), logger)), []int{number})
	}
	level.Set(slog.LevelError)
	k, logger := logging(level)
	client := open(t, free(""), logger)
	ask(t, client, prompt("Hello"))
	level.Set(slog.LevelDebug)
	eventually(t, func() (bool, any) {
		levels := literllm.LogLevels(client)
		return levels[0] == 4, levels
	})
	ask(t, client, prompt("Hello"))
	client.Close()
	equal(t, k.said(), []string{"DEBUG attempt", "INFO call"})
}

// No call waits for a handler. What comes meanwhile is kept.
func TestASlowHandlerHoldsUpNoCall(t *testing.T) {
	both(t, func(t *testing.T, way literllm.Option) {
		k, logger := logging(slog.LevelInfo)
		entered, release := make(chan struct{}), make(chan struct{})
		k.before = func(slog.Record) {
			select {
			case entered <- struct{}{}:
				<-release
			case <-release:
			}
		}
		client := open(t, free(""), logger, way)
		ask(t, client, prompt("Hello"))
		<-entered
		for range 100 {
			ask(t, client, prompt("Hello"))
		}
		for _, err := range client.Stream(background, prompt("Hello")) {
			if err != nil {
				t.Error(err)
			}
		}
		if len(k.kept()) != 0 {
			t.Error(k.said())
		}
		client.Close() // does not wait for ever
		close(release)
		eventually(t, func() (bool, any) { return len(k.kept()) == 102, len(k.kept()) })
	})
}

// If nobody takes the records, the oldest are dropped, and a record says how many.
func TestDroppedRecords(t *testing.T) {
	notShort(t, "it makes 10,500 calls")
	k, logger := logging(slog.LevelInfo)
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	k.before = func(slog.Record) {
		once.Do(func() {
			close(entered)
			<-release
		})
	}
	client := open(t, free(""), logger)
	ask(t, client, prompt("Hello"))
	<-entered
	const calls = 10_500
	for range calls {
		ask(t, client, prompt("Hello"))
	}
	close(release)
	client.Close()
	told, heard := int64(0), -1 // without the first
	for _, record := range k.kept() {
		if record.Message == "dropped" {
			_, values := attributes(record)
			told += values["records"].(int64)
		} else {
			heard++
		}
	}
	if told == 0 || told+int64(heard) != calls {
		t.Errorf("%d calls, %d heard, %d told of", calls, heard, told)
	}
}

// logGoroutines waits until this many goroutines read log records.
func logGoroutines(t *testing.T, expected int) {
	t.Helper()
	eventually(t, func() (bool, any) {
		runtime.GC()
		var profile bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&profile, 2)
		found := strings.Count(profile.String(), "(*logReader).run(")
		return found == expected, found
	})
}

// The goroutine of a logger ends with Close, and without one when nobody has the client any more.
func TestLogGoroutinesEnd(t *testing.T) {
	logGoroutines(t, 0) // those of other tests
	k, logger := logging(slog.LevelInfo)
	client := open(t, free(""), logger)
	logGoroutines(t, 1)
	client.Close()
	logGoroutines(t, 0)
	client.Close()
	func() {
		for range 3 {
			client, err := literllm.NewClient(literllm.WithConfig(free("")), logger)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, client, prompt("Hello"))
		}
	}()
	logGoroutines(t, 0)
	equal(t, k.said(), []string{"INFO call", "INFO call", "INFO call"})
}

func TestLoggersLeakNothing(t *testing.T) {
	flat(t, times(), func() {
		for i := range 5 {
			_, logger := logging(slog.LevelDebug)
			client, err := literllm.NewClient(literllm.WithConfig(free("")), logger)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, client, prompt("Hello"))
			if i%2 == 0 {
				client.Close()
			}
		}
		logGoroutines(t, 0)
	})
}
