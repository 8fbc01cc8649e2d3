package literllm

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/liter-llm/liter-llm/go/internal/native"
)

// bufferSize is how much one read of a queue takes: what waits, up to this.
const bufferSize = 64 << 10

// tokens numbers the requests of the process. A token is used once, so that a cancel which comes too
// late finds nothing.
var tokens atomic.Uint64

// buffers are lent for one read: ten thousand waiting streams hold none.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// A reader is a queue whose goroutine waits in Go's poller, not in a thread of its own.
type reader struct {
	queue *native.Queue
	file  *os.File
	poll  syscall.RawConn
}

// newReader makes a queue and gives its descriptor to the poller.
func newReader() (*reader, error) {
	queue, status := native.NewQueue()
	if status != native.OK {
		return nil, misuse(status)
	}
	fd := queue.FD()
	if fd < 0 {
		return nil, misuse(fd)
	}
	// The queue closes its descriptor itself, and so does an os.File: each has one of its own.
	syscall.ForkLock.RLock()
	own, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(own)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, newError(ErrInternal, "no descriptor for a queue: %v", err)
	}
	file := os.NewFile(uintptr(own), "liter_llm_queue")
	poll, err := file.SyscallConn()
	if err != nil {
		return nil, newError(ErrInternal, "a queue cannot be polled: %v", err)
	}
	return &reader{queue: queue, file: file, poll: poll}, nil
}

// read waits for events. The records are the caller's.
func (r *reader) read() ([]byte, error) {
	records, err := take(r.queue, 0)
	for len(records) == 0 && err == nil {
		wait := r.poll.Read(func(uintptr) bool {
			records, err = take(r.queue, 0)
			return len(records) > 0 || err != nil
		})
		if wait != nil {
			return nil, newError(ErrInternal, "a queue cannot be waited for: %v", wait)
		}
	}
	return records, err
}

// take reads the events that wait in a queue, and waits up to timeoutMS for the first. The records
// are the caller's.
func take(queue *native.Queue, timeoutMS int32) ([]byte, error) {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	size := queue.Read(buffer[:], timeoutMS)
	switch {
	case size == native.Space: // one document that is larger than the buffer
		records := make([]byte, queue.NextSize())
		if size = queue.Read(records, 0); size >= 0 {
			return records[:size], nil
		}
		return nil, misuse(size)
	case size < 0:
		return nil, misuse(size)
	}
	return append([]byte(nil), buffer[:size]...), nil
}

// text is a payload as a string. It shares the memory of its records, which nobody writes to.
func text(payload []byte) string { return unsafe.String(unsafe.SliceData(payload), len(payload)) }

// A call waits for the last event of one request.
type call struct {
	kind     uint32
	document string
	done     chan struct{}
}

var calls = sync.Pool{New: func() any { return &call{done: make(chan struct{}, 1)} }}

// A pump reads one queue for all requests of the process that are not read where they are made:
// one goroutine, however many requests there are.
type pump struct {
	*reader
	shards [16]shard
	broken atomic.Pointer[Error]
}

// A shard says who waits for what, for a part of the tokens.
type shard struct {
	mutex   sync.Mutex
	waiting map[uint64]*call
	_       [48]byte // a cache line each
}

var thePump = sync.OnceValues(func() (*pump, error) {
	made, err := newReader()
	if err != nil {
		return nil, err
	}
	p := &pump{reader: made}
	for i := range p.shards {
		p.shards[i].waiting = make(map[uint64]*call)
	}
	go p.run()
	return p, nil
})

func (p *pump) shard(token uint64) *shard { return &p.shards[token%uint64(len(p.shards))] }

// expect says that c waits for the token.
func (p *pump) expect(token uint64, c *call) error {
	shard := p.shard(token)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	if broken := p.broken.Load(); broken != nil {
		return broken
	}
	shard.waiting[token] = c
	return nil
}

// forget takes the token back. False: its last event is being delivered.
func (p *pump) forget(token uint64) bool { return p.take(token) != nil }

func (p *pump) take(token uint64) *call {
	shard := p.shard(token)
	shard.mutex.Lock()
	c := shard.waiting[token]
	delete(shard.waiting, token)
	shard.mutex.Unlock()
	return c
}

func (p *pump) run() {
	for {
		records, err := p.read()
		if err != nil { // a bug: nobody must wait for ever because of it
			p.fail(err)
			return
		}
		for len(records) > 0 {
			var event native.Event
			event, records = native.Next(records)
			if event.Kind != native.Result && event.Kind != native.Error {
				continue
			}
			if c := p.take(event.Token); c != nil {
				c.kind, c.document = event.Kind, text(event.Payload)
				c.done <- struct{}{}
			}
		}
	}
}

// fail ends every request that waits, and those to come.
func (p *pump) fail(err error) {
	failure := newError(ErrInternal, "the queue of answers cannot be read: %v", err)
	p.broken.Store(failure)
	for i := range p.shards {
		shard := &p.shards[i]
		shard.mutex.Lock()
		for token, c := range shard.waiting {
			delete(shard.waiting, token)
			c.kind, c.document = native.Error, failure.Document()
			c.done <- struct{}{}
		}
		shard.mutex.Unlock()
	}
}
