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
	token  uint64
	queue  *native.Queue
	stop   func() // forgets the context; nil: it cannot end
	closed atomic.Bool

	mutex    sync.Mutex // of Next and the end; Close does not wait for it before it has cancelled
	reader   *reader    // nil at the end
	shown    bool       // the caller has a chunk
	lines    string     // chunk documents, one a line
	records  []byte     // events that were read
	response *Response
	err      error // what Next returns from now on
	seen     Observation
	unseen   func() // forgets to tell of a stream that nobody closed
	document string // the last one, for the observer
}

// readers are queues for the next streams. A stream has a queue of its own, because only an unread
// queue makes the engine stop reading one stream's socket.
var readers sync.Pool

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
		seen.End("", err)
	default:
		s.seen = seen
		end := func(seen Observation) { seen.End("", errClosed()) }
		s.unseen = runtime.AddCleanup(s, end, seen).Stop
	}
	return s, err
}

func (c *Client) openStream(ctx context.Context, request []byte, chosen *Options) (*ChatStream, error) {
	options, err := c.options(ctx, request, chosen)
	if err != nil {
		return nil, err
	}
	own, _ := readers.Get().(*reader)
	if own == nil {
		if own, err = newReader(); err != nil {
			return nil, err
		}
	}
	s := &ChatStream{client: c, ctx: ctx, token: tokens.Add(1), queue: own.queue, reader: own}
	if err := submit(c, own.queue, s.token, native.Stream, request, options); err != nil {
		readers.Put(own)
		return nil, err
	}
	if ctx.Done() != nil {
		// The function does not hold s, because a context must not keep a stream that was never closed.
		end := canceller{own.queue, s.token}
		stop, cleanup := context.AfterFunc(ctx, end.now), runtime.AddCleanup(s, canceller.now, end)
		s.stop = func() {
			stop()
			cleanup.Stop()
		}
	}
	return s, nil
}

// A canceller ends one stream's request. Without one, a queue that is freed does.
type canceller struct {
	queue *native.Queue
	token uint64
}

func (c canceller) now() { cancel(c.queue, c.token) }

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

// take takes the next event of this stream. The queue may still have events of an earlier one.
func (s *ChatStream) take() (err error) {
	if len(s.records) == 0 {
		wait := s.reader.until(func() bool {
			s.records, err = take(s.reader.queue, 0)
			return len(s.records) > 0 || err != nil
		})
		if err == nil {
			err = wait
		}
		if err != nil {
			return err
		}
	}
	var event native.Event
	event, s.records = native.Next(s.records)
	if event.Token != s.token {
		return nil
	}
	switch event.Kind {
	case native.Chunk:
		s.lines = text(event.Payload)
	case native.Result:
		answer := text(event.Payload)
		s.client.heard(answer)
		s.document = answer
		s.response, err = readResponse(answer)
	case native.Error:
		s.client.heard("")
		s.document = text(event.Payload)
		failure := errorFrom(s.document)
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
		s.queue.Collect(s.token)
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
	cancel(s.queue, s.token)
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

// end gives the queue back, without the events that this stream has left in it.
func (s *ChatStream) end(err error) {
	s.err = err
	if s.seen != nil {
		s.unseen()
		if err == io.EOF {
			err = nil
		}
		s.seen.End(s.document, err)
	}
	s.document = ""
	if s.stop != nil {
		s.stop()
	}
	own := s.reader
	s.reader, s.lines, s.records = nil, "", nil
	left, broken := take(own.queue, 0)
	for len(left) > 0 {
		left, broken = take(own.queue, 0)
	}
	if broken == nil {
		readers.Put(own)
	}
	runtime.KeepAlive(s.client)
}
