package literllm

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// mostNotes is how many different warnings a logger of a client gets.
const mostNotes = 1000

// notes are the warnings of answers, on their way to a logger. Each text goes there once.
type notes struct {
	mutex   sync.Mutex
	said    map[string]bool
	waiting []slog.Record
}

// add reports whether it took the note.
func (n *notes) add(text string, note slog.Record) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.said[text] || len(n.said) >= mostNotes {
		return false
	}
	if n.said == nil {
		n.said = map[string]bool{}
	}
	n.said[text] = true
	n.waiting = append(n.waiting, note)
	return true
}

func (n *notes) take() []slog.Record {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	waiting := n.waiting
	n.waiting = nil
	return waiting
}

// heard tells the client's loggers that a call has ended. document is its answer, or "".
func (c *Client) heard(document string) {
	for _, l := range c.logs {
		// An answer without warnings has an empty list.
		if strings.Contains(document, `"warnings":[{`) {
			d := decoder{text: document}
			l.warn(&d)
		}
		if l.direct {
			_ = l.drain() // the goroutine says what is wrong
		}
	}
}

// warn reads the warnings of an answer, or of each answer of a fan-out.
func (l *logReader) warn(d *decoder) {
	var warnings []Warning
	var about []slog.Attr
	for more := d.begin('{'); more; more = d.more('}') {
		switch name := d.name(); name {
		case "results":
			list(d, func(_ *struct{}, d *decoder) { l.warn(d) })
		case "warnings":
			warnings = list(d, (*Warning).read)
		case "provider":
			about = append(about, slog.String(name, d.string()))
		case "liter":
			var liter Liter
			liter.read(d)
			about = append([]slog.Attr{slog.String("request_id", liter.RequestID)}, about...)
		default:
			d.skip()
		}
	}
	if d.failed {
		return // whoever reads the answer says so
	}
	for _, warning := range warnings {
		note := slog.NewRecord(time.Now(), slog.LevelWarn, "warning", 0)
		note.AddAttrs(about...)
		note.AddAttrs(slog.String("code", warning.Code))
		if warning.Param != "" {
			note.AddAttrs(slog.String("param", warning.Param))
		}
		note.AddAttrs(slog.String("message", warning.Message))
		if l.notes.add(warning.Param+": "+warning.Message, note) {
			wake(l.file)
		}
	}
}
