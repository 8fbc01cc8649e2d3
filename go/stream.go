package literllm

import (
	"context"
	"io"
	"iter"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/liter-llm/liter-llm/go/internal/native"
)

// Stream asks and gives the answer as it arrives. The last chunk has only Response, the whole
// answer with usage. An error is the last item of the sequence. Each range over it is a request of
// its own, which is billed: keep the chunks to read them twice. Leaving the range cancels the rest: the
// connection is closed.
//
//	for chunk, err := range client.Stream(ctx, request) {
//		if err != nil { … }
//		fmt.Print(chunk.Text)
//	}
func (c *Client) Stream(ctx context.Context, request *ChatRequest) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		stream, err := c.OpenStream(ctx, request)
		if err != nil {
			yield(Chunk{}, err)
			return
		}
		defer stream.Close()
		for {
			chunk, err := stream.Next()
			if err == io.EOF || !yield(chunk, err) || err != nil {
				return
			}
		}
	}
}

// A ChatStream is an answer as it arrives, for a loop that is not a range. It must be closed. One
// goroutine at a time calls Next. Close may be called from another.
//
// Without calls of Next, the engine reads no more than about 256 KiB ahead.
type ChatStream struct {
	client *Client
	ctx    context.Context
	inbox  *inbox
	stop   func() // forgets the context and the garbage collector
	closed atomic.Bool

	mutex    sync.Mutex // of Next and the end; Close does not wait for it before it has cancelled
	shown    bool       // the caller has a chunk
	lines    string     // chunk documents, one a line
	response *Response
	err      error // what Next returns from now on
	seen     Observation
	unseen   func() // forgets to tell of a stream that nobody closed
	document string // the last one, for the observer
}

// An inbox has what has come of one stream and was not taken. The engine stops reading the stream's
// socket while its reader has not consumed what is there, so it is no more than the engine holds for
// a stream.
//
// The pump knows the inbox and not the stream, so that a stream that nobody closed can be collected.
type inbox struct {
	pump    *pump
	token   uint64
	arrived chan struct{} // events have come since it was last looked at

	mutex  sync.Mutex
	events []event

	taken    int // bytes since the last credit; of the goroutine that takes, like the rest
	credited bool
	over     bool // the last event was taken
}

type event struct {
	kind     uint32
	document string
}

// credited is how many bytes credit is given for at once: less than the engine holds for one stream.
const credited = 64 << 10

func (b *inbox) receive(kind uint32, document string) {
	b.mutex.Lock()
	b.events = append(b.events, event{kind, document})
	b.mutex.Unlock()
	select {
	case b.arrived <- struct{}{}:
	default:
	}
}

// next is the next event. It waits for one.
func (b *inbox) next() event {
	for {
		b.mutex.Lock()
		if len(b.events) > 0 {
			first := b.events[0]
			b.events[0] = event{}
			b.events = b.events[1:]
			b.mutex.Unlock()
			b.took(first)
			return first
		}
		b.events = nil
		b.mutex.Unlock()
		<-b.arrived
	}
}

// took gives credit. The engine waits for a reader's first chunk before it takes a break for an error.
func (b *inbox) took(e event) {
	if e.kind != native.Chunk {
		b.over = true
		return
	}
	b.taken += len(e.document)
	if !b.credited || b.taken >= credited {
		b.credited = true
		credit(b.pump.queue, b.token, b.taken)
		b.taken = 0
	}
}

// cancel ends the request. Its last event still comes.
func (b *inbox) cancel() { cancel(b.pump.queue, b.token) }

// OpenStream asks, and takes the arguments of Stream.
func (c *Client) OpenStream(ctx context.Context, request *ChatRequest) (*ChatStream, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	body, err := request.encode()
	if err != nil {
		return nil, err
	}
	defer body.release()
	if err := checkStream(body.out); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ended(ctx, nil)
	}
	seen, own := c.begin(ctx, body.out, request.Options)
	s, err := c.openStream(ctx, body.out, own)
	switch {
	case seen == nil:
	case err != nil:
		ends(seen, "", err)
	default:
		s.seen = seen
		// What an observer does may take long, and the cleanups of the process wait for each other.
		end := func(seen Observation) { go ends(seen, "", errClosed()) }
		s.unseen = runtime.AddCleanup(s, end, seen).Stop
	}
	return s, err
}

func (c *Client) openStream(ctx context.Context, request []byte, chosen *Options) (*ChatStream, error) {
	options, err := c.options(ctx, request, chosen)
	if err != nil {
		return nil, err
	}
	pump, err := startedPump()
	if err != nil {
		return nil, err
	}
	own := &inbox{pump: pump, token: tokens.Add(1), arrived: make(chan struct{}, 1)}
	if err := pump.expect(own.token, own); err != nil {
		return nil, err
	}
	if err := submit(c, pump.queue, own.token, native.Stream|native.Credit, request, options); err != nil {
		pump.take(own.token, true)
		return nil, err
	}
	s := &ChatStream{client: c, ctx: ctx, inbox: own}
	// Neither function holds s, because neither must keep a stream that was never closed.
	cleanup := runtime.AddCleanup(s, (*inbox).cancel, own)
	s.stop = cleanup.Stop
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, own.cancel)
		s.stop = func() {
			stop()
			cleanup.Stop()
		}
	}
	return s, nil
}

// Next is the next chunk. After the last one, which has the Response, it returns io.EOF, again and
// again: a stream is read once. Keep its chunks, or take Response.
func (s *ChatStream) Next() (Chunk, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for s.err == nil {
		if s.lines != "" {
			var line string
			line, s.lines, _ = strings.Cut(s.lines, "\n")
			s.shown = true
			chunk, err := readChunk(line)
			if err != nil {
				s.end(err)
			}
			return chunk, err
		}
		if err := s.take(); err != nil {
			s.end(err)
		} else if s.response != nil {
			s.end(io.EOF)
			// It has a choice without news, so that a loop over Choices[0] does not panic on it.
			return Chunk{Choices: []ChunkChoice{{}}, Response: s.response}, nil
		}
	}
	return Chunk{}, s.err
}

// take takes the next event.
func (s *ChatStream) take() (err error) {
	event := s.inbox.next()
	switch event.kind {
	case native.Chunk:
		s.lines = event.document
	case native.Result:
		s.client.heard(event.document)
		s.document = event.document
		s.response, err = readResponse(event.document)
	case native.Error:
		s.client.heard("")
		s.document = event.document
		failure := errorFrom(event.document)
		if s.closed.Load() && s.ctx.Err() == nil && failure.Kind == "cancelled" {
			return errClosed()
		}
		return endedBy(s.ctx, failure)
	}
	return err
}

// Result reads to the end and returns the whole answer. It passes over the chunks that Next did not
// return. If Next returned none, an answer that breaks begins anew, unless OnBreak is "error".
func (s *ChatStream) Result() (*Response, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.err == nil && !s.shown {
		s.inbox.pump.queue.Collect(s.inbox.token)
	}
	for s.err == nil {
		s.lines = ""
		if err := s.take(); err != nil {
			s.end(err)
		} else if s.response != nil {
			s.end(io.EOF)
		}
	}
	if s.response == nil {
		return nil, s.err
	}
	return s.response, nil
}

// Response is the whole answer with usage, once Next has returned it. Before that, and if the stream
// broke, it is an error. Result reads the rest first.
func (s *ChatStream) Response() (*Response, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case s.err == nil:
		return nil, newError(ErrInvalidRequest,
			"the stream has not ended: call Next until it returns io.EOF, or Result, which reads the rest")
	case s.response == nil:
		return nil, s.err
	}
	return s.response, nil
}

// Close cancels the rest and waits until the request has ended. Its connection is closed, its place
// among max_in_flight is free, and Next returns an error of kind cancelled. After the end Close
// does nothing.
func (s *ChatStream) Close() error {
	s.closed.Store(true)
	s.inbox.cancel()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for s.err == nil {
		if s.take() != nil || s.response != nil {
			s.response = nil // the caller has not seen it
			s.end(errClosed())
		}
	}
	return nil
}

func errClosed() error { return newError(ErrCancelled, "the stream was closed") }

// end is the stream's end. A request that goes on, because a chunk could not be read, is cancelled.
func (s *ChatStream) end(err error) {
	s.err, s.lines = err, ""
	s.stop()
	if !s.inbox.over {
		s.inbox.cancel()
	}
	if s.seen != nil {
		s.unseen()
		if err == io.EOF {
			err = nil
		}
		ends(s.seen, s.document, err)
	}
	s.document = ""
	runtime.KeepAlive(s.client)
}
