package literllm

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/liter-llm/liter-llm/go/internal/native"
)

// running counts the requests of the process whose callers wait for them.
var running atomic.Int64

// call sends a request and waits for the response document, and the observer sees it. how has the
// flags, beside those of the thread that does the request's work.
func (c *Client) call(
	ctx context.Context, how uint32, request []byte, options *Options,
) (document string, err error) {
	if ctx.Err() != nil {
		return "", ended(ctx, nil)
	}
	seen, options := c.begin(ctx, request, options)
	var last string
	if seen != nil {
		defer func() { ends(seen, last, err) }()
	}
	last, err = c.send(ctx, how, request, options)
	if err != nil {
		return "", err
	}
	return last, nil
}

// send sends a request and waits for the response document. An error document is returned beside its
// error.
//
// While few requests are in flight, a request runs on the thread of the goroutine that waits for
// it. That spares it two hand-overs between threads. A goroutine in C keeps a thread, so the pump
// answers the other requests.
func (c *Client) send(
	ctx context.Context, how uint32, request []byte, options *Options,
) (answer string, err error) {
	if ctx.Err() != nil {
		return "", ended(ctx, nil)
	}
	inline := running.Add(1) <= c.inline
	defer running.Add(-1)
	defer runtime.KeepAlive(c) // a client that is freed cancels its requests
	chosen, err := c.options(ctx, request, options)
	if err != nil {
		return "", err
	}
	var kind uint32
	if inline {
		kind, answer, err = c.callInline(ctx, how|native.Inline, request, chosen)
	} else {
		kind, answer, err = c.callPump(ctx, how|native.Whole, request, chosen)
	}
	if err != nil {
		return "", err
	}
	if kind == native.Error {
		c.heard("")
		return answer, endedBy(ctx, errorFrom(answer))
	}
	c.heard(answer)
	return answer, nil
}

// callPump leaves the request to the engine's threads and waits for the pump.
func (c *Client) callPump(ctx context.Context, how uint32, request, options []byte) (uint32, string, error) {
	pump, err := startedPump()
	if err != nil {
		return 0, "", err
	}
	waiting := calls.Get().(*call)
	token := tokens.Add(1)
	if err := pump.expect(token, waiting); err != nil {
		return 0, "", err
	}
	if err := submit(c, pump.queue, token, how, request, options); err != nil {
		pump.take(token, true)
		calls.Put(waiting)
		return 0, "", err
	}
	if done := ctx.Done(); done == nil {
		<-waiting.done
	} else {
		select {
		case <-waiting.done:
		case <-done:
			// Either the request ends, or the answer was faster. Both free its place.
			cancel(pump.queue, token)
			<-waiting.done
		}
	}
	kind, answer := waiting.kind, waiting.document
	waiting.document = ""
	calls.Put(waiting)
	return kind, answer, nil
}

// lanes are queues for one request at a time, whose reader does the request's work. An unused one
// is freed by the garbage collector.
var lanes sync.Pool

// callInline runs the request on this goroutine's thread.
func (c *Client) callInline(ctx context.Context, how uint32, request, options []byte) (uint32, string, error) {
	lane, _ := lanes.Get().(*native.Queue)
	if lane == nil {
		var status int
		if lane, status = native.NewQueue(); status != native.OK {
			return 0, "", misuse(status)
		}
	}
	token := tokens.Add(1)
	if err := submit(c, lane, token, how, request, options); err != nil {
		lanes.Put(lane)
		return 0, "", err
	}
	if ctx.Done() != nil {
		// A cancel that comes too late keeps the queue alive and finds nothing.
		stop := context.AfterFunc(ctx, func() { cancel(lane, token) })
		defer stop()
	}
	for {
		records, err := take(lane, -1)
		if err != nil {
			return 0, "", err
		}
		for len(records) > 0 {
			var event native.Event
			event, records = native.Next(records)
			if event.Token == token && event.Kind != native.Chunk {
				lanes.Put(lane)
				return event.Kind, text(event.Payload), nil
			}
		}
	}
}
