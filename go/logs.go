package literllm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/liter-llm/liter-llm/go/internal/native"
)

const (
	// askEvery is how often a logger is asked which levels it wants.
	askEvery = time.Second
	// lastRecords is how long Close waits for a logger to take the last records.
	lastRecords = 2 * time.Second
)

// logLevels are the engine's levels, in the order of its numbers from 1, and slog's.
var logLevels = []struct {
	name  string
	level slog.Level
}{
	{"error", slog.LevelError}, {"warn", slog.LevelWarn}, {"info", slog.LevelInfo}, {"debug", slog.LevelDebug},
}

// A logReader hands the log records of one client to one logger. All code of the logger runs on the
// reader's goroutine, so that no call waits for it. What the engine has for it meanwhile waits in a
// queue, which is bounded and tells of what it drops.
//
// The goroutine holds its client weakly. It ends with the client's Close, and when nobody can reach
// the client any more.
type logReader struct {
	*reader
	client weak.Pointer[native.Client]
	logger *slog.Logger
	level  int // what the queue is asked for
	// direct: whoever made a call also hands its records over, before the call returns. A short
	// program that closes no client would end without them.
	direct   bool
	handing  sync.Mutex // of the queue and the logger
	panicked bool
	ending   atomic.Bool
	ended    chan struct{}
	notes    notes
}

// startLogs begins to hand the records of a client to a logger.
func startLogs(client *native.Client, logger *slog.Logger, direct bool) (*logReader, error) {
	own, err := newReader()
	if err != nil {
		return nil, err
	}
	l := &logReader{
		reader: own, client: weak.Make(client), logger: logger, direct: direct, ended: make(chan struct{}),
	}
	l.ask() // before the first call, which is heard
	runtime.AddCleanup(client, wake, own.file)
	go l.run()
	return l, nil
}

func (l *logReader) run() {
	defer close(l.ended)
	defer l.file.Close()
	defer l.queue.NoLogs()
	for {
		l.file.SetReadDeadline(time.Now().Add(askEvery))
		alive := l.ask()
		var broken error
		err := l.poll.Read(func(uintptr) bool {
			last := l.ending.Load() || !alive
			broken = l.drain()
			return last || broken != nil
		})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err = cmp.Or(broken, err); err != nil {
			fmt.Fprintln(os.Stderr, "liter_llm: the log records of a client cannot be read any more:", err)
		}
		return
	}
}

// wake makes the goroutine that polls a file look for what has changed.
func wake(file *os.File) { file.SetReadDeadline(time.Unix(1, 0)) }

// close ends the goroutine when it has handed over what is there. A handler that hangs is not waited
// for without end.
func (l *logReader) close() {
	l.ending.Store(true)
	wake(l.file)
	select {
	case <-l.ended:
	case <-time.After(lastRecords):
	}
}

// ask asks the logger which levels it wants, and the engine for these. It reports whether the client
// still exists.
func (l *logReader) ask() bool {
	client := l.client.Value()
	if client == nil {
		return false
	}
	if level := l.wanted(); level != l.level {
		l.level = level
		l.queue.LogsOf(client, level)
	}
	return true
}

// wanted is the engine's number of the level that the logger wants, with those before it.
func (l *logReader) wanted() (level int) {
	l.handing.Lock()
	defer l.handing.Unlock()
	defer l.recover()
	for i, each := range logLevels {
		if l.logger.Enabled(context.Background(), each.level) {
			level = i + 1
		}
	}
	return level
}

// drain hands over what waits.
func (l *logReader) drain() error {
	l.handing.Lock()
	defer l.handing.Unlock()
	for {
		records, err := take(l.queue, 0)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			break
		}
		for len(records) > 0 {
			var event native.Event
			event, records = native.Next(records)
			if event.Kind == native.Log {
				l.hand(readRecord(string(event.Payload)))
			}
		}
	}
	for _, note := range l.notes.take() {
		l.hand(note)
	}
	return nil
}

// hand gives one record to the logger. As in slog itself, a handler's error is its own affair.
func (l *logReader) hand(record slog.Record) {
	defer l.recover()
	handler := l.logger.Handler()
	if handler.Enabled(context.Background(), record.Level) {
		_ = handler.Handle(context.Background(), record)
	}
}

// recover keeps a handler's panic from ending the process, and says it. The first one has its stack.
func (l *logReader) recover() {
	value := recover()
	if value == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "liter_llm: the handler of a client's logger panicked, so a log record is lost:", value)
	if !l.panicked {
		l.panicked = true
		os.Stderr.Write(debug.Stack())
	}
}

// readRecord is a record of the engine's: its event as the message, its members as attributes.
func readRecord(document string) slog.Record {
	d := decoder{text: document}
	record := slog.Record{Level: slog.LevelInfo}
	for more := d.begin('{'); more; more = d.more('}') {
		switch name := d.name(); name {
		case "ts":
			at, _ := time.Parse(time.RFC3339, d.string())
			record.Time = at.Local()
		case "level":
			word := d.string()
			for _, each := range logLevels {
				if each.name == word {
					record.Level = each.level
				}
			}
		case "event":
			record.Message = d.string()
		default:
			record.AddAttrs(slog.Attr{Key: name, Value: d.logged()})
		}
	}
	if d.failed {
		return slog.NewRecord(time.Now(), slog.LevelError, d.answered("log record").Error(), 0)
	}
	return record
}

// logged reads a value for slog.
func (d *decoder) logged() slog.Value {
	switch d.peek() {
	case '"':
		return slog.StringValue(d.string())
	case 't', 'f':
		return slog.BoolValue(d.boolean())
	case '{', '[', 'n':
		return slog.AnyValue(d.raw())
	}
	from := *d
	if text := d.number(); strings.ContainsAny(text, ".eE") {
		return slog.Float64Value(from.float())
	}
	return slog.Int64Value(from.integer())
}

// stderrLevel is what LITER_LLM_LOG asks for. false: nothing.
func stderrLevel(variables map[string]string) (slog.Level, bool) {
	word := strings.ToLower(strings.TrimSpace(variables["LITER_LLM_LOG"]))
	if word == "warning" {
		word = "warn"
	}
	names := make([]string, 0, len(logLevels)+1)
	for _, each := range logLevels {
		if each.name == word {
			return each.level, true
		}
		names = append(names, each.name)
	}
	if word != "" && word != "off" {
		wrongLevel.Do(func() {
			fmt.Fprintf(os.Stderr, "liter_llm: LITER_LLM_LOG is one of %s, off: nothing is logged\n",
				strings.Join(names, ", "))
		})
	}
	return 0, false
}

// wrongLevel is said once in a process.
var wrongLevel sync.Once

// stderrLogger writes lines of slog's text, marked as ours.
func stderrLogger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(marked{os.Stderr}, &slog.HandlerOptions{Level: level}))
}

// A marked writer is told a line at a time.
type marked struct{ io.Writer }

func (m marked) Write(line []byte) (int, error) {
	n, err := m.Writer.Write(append([]byte("liter_llm "), line...))
	return max(0, n-len("liter_llm ")), err
}
