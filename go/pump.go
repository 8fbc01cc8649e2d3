package literllm

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/liter-llm/liter-llm/go/internal/native"
)

// bufferSize is the most that one read of a queue takes.
const bufferSize = 64 << 10

// tokens numbers the requests of the process. A token is used once, so that a cancel that comes too
// late finds nothing.
var tokens atomic.Uint64

// buffers are lent for one read, so that a queue that waits holds none.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// doors let one goroutine at a time submit or cancel. The thread of a goroutine in C may lose its
// processor there. Go would then start another thread for each goroutine that comes behind.
var doors [2]sync.Mutex

// submit starts a request. Both documents are copied before it returns. how has flags of native.
func submit(c *Client, queue *native.Queue, token uint64, how uint32, request, options []byte) error {
	door := &doors[token%uint64(len(doors))]
	door.Lock()
	defer door.Unlock()
	if status := queue.Submit(c.native, token, how, request, options); status != native.OK {
		return misuse(status)
	}
	return nil
}

// cancel asks a request to stop. Its last event still comes.
func cancel(queue *native.Queue, token uint64) {
	door := &doors[token%uint64(len(doors))]
	door.Lock()
	defer door.Unlock()
	queue.Cancel(token)
}

// credit says that so many bytes more of a stream's chunks are consumed.
func credit(queue *native.Queue, token uint64, bytes int) {
	door := &doors[token%uint64(len(doors))]
	door.Lock()
	defer door.Unlock()
	queue.Credit(token, bytes)
}

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
	// The queue closes its descriptor itself, and so does an os.File, so each has one of its own.
	syscall.ForkLock.RLock()
	own, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(own)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		if err == syscall.EMFILE || err == syscall.ENFILE {
			return nil, misuse(native.Descriptors)
		}
		return nil, newError(ErrInternal, "a queue's descriptor cannot be doubled: %v", err)
	}
	file := os.NewFile(uintptr(own), "liter_llm_queue")
	poll, err := file.SyscallConn()
	if err != nil {
		return nil, newError(ErrInternal, "a queue cannot be polled: %v", err)
	}
	return &reader{queue: queue, file: file, poll: poll}, nil
}

// until calls look at once, and whenever events have come, until look returns true.
func (r *reader) until(look func() bool) error {
	if look() {
		return nil
	}
	if err := r.poll.Read(func(uintptr) bool { return look() }); err != nil {
		return newError(ErrInternal, "a queue cannot be waited for: %v", err)
	}
	return nil
}

// take moves the events that wait, and up to timeoutMS for the first, into memory of their own.
func take(queue *native.Queue, timeoutMS int32) ([]byte, error) {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	records, err := read(queue, buffer[:], timeoutMS)
	if len(records) <= bufferSize {
		records = append([]byte(nil), records...)
	}
	return records, err
}

// read reads the events that wait in a queue, and waits up to timeoutMS for the first. The records
// are in buffer. A record that is larger has memory of its own.
func read(queue *native.Queue, buffer []byte, timeoutMS int32) ([]byte, error) {
	size := queue.Read(buffer, timeoutMS)
	if size == native.Space {
		buffer = make([]byte, queue.NextSize())
		size = queue.Read(buffer, 0)
	}
	if size < 0 {
		return nil, misuse(size)
	}
	return buffer[:size], nil
}

// keep is a payload of read as a string. A payload with memory of its own is not copied.
func keep(payload []byte) string {
	if len(payload) > bufferSize {
		return text(payload)
	}
	return string(payload)
}

// text is bytes as a string that shares their memory, so the bytes must not be written any more.
func text(payload []byte) string { return unsafe.String(unsafe.SliceData(payload), len(payload)) }

// A receiver is what the pump hands the events of a request to. It never waits.
type receiver interface {
	receive(kind uint32, document string)
}

// A call waits for the last event of one request.
type call struct {
	kind     uint32
	document string
	done     chan struct{}
}

var calls = sync.Pool{New: func() any { return &call{done: make(chan struct{}, 1)} }}

func (c *call) receive(kind uint32, document string) {
	c.kind, c.document = kind, document
	c.done <- struct{}{}
}

// A pump reads one queue for all requests of the process that do not read their own, streams among
// them. It is one goroutine, however many requests there are.
type pump struct {
	*reader
	shards [16]shard
	broken atomic.Pointer[Error]
}

// A shard holds the receiver of each token, for a part of the tokens.
type shard struct {
	mutex   sync.Mutex
	waiting map[uint64]receiver
	_       [48]byte // a cache line each
}

var thePump struct {
	sync.Mutex
	atomic.Pointer[pump]
}

// startedPump is the process's pump. A start that failed is tried again.
func startedPump() (*pump, error) {
	if p := thePump.Load(); p != nil {
		return p, nil
	}
	thePump.Lock()
	defer thePump.Unlock()
	if p := thePump.Load(); p != nil {
		return p, nil
	}
	made, err := newReader()
	if err != nil {
		return nil, err
	}
	p := &pump{reader: made}
	for i := range p.shards {
		p.shards[i].waiting = make(map[uint64]receiver)
	}
	thePump.Store(p)
	go p.run()
	return p, nil
}

func (p *pump) shard(token uint64) *shard { return &p.shards[token%uint64(len(p.shards))] }

// expect says that r waits for the token.
func (p *pump) expect(token uint64, r receiver) error {
	shard := p.shard(token)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	if broken := p.broken.Load(); broken != nil {
		return broken
	}
	shard.waiting[token] = r
	return nil
}

// take returns the receiver of the token, and forgets it if no more events come.
func (p *pump) take(token uint64, last bool) receiver {
	shard := p.shard(token)
	shard.mutex.Lock()
	r := shard.waiting[token]
	if last {
		delete(shard.waiting, token)
	}
	shard.mutex.Unlock()
	return r
}

func (p *pump) run() {
	buffer := make([]byte, bufferSize)
	for {
		var records []byte
		var err error
		wait := p.until(func() bool {
			records, err = read(p.queue, buffer, 0)
			return len(records) > 0 || err != nil
		})
		if err == nil {
			err = wait
		}
		if err != nil { // a bug: no call must wait for ever for it
			p.fail(err)
			return
		}
		for len(records) > 0 {
			var event native.Event
			event, records = native.Next(records)
			if r := p.take(event.Token, event.Kind != native.Chunk); r != nil {
				r.receive(event.Kind, keep(event.Payload))
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
		for token, r := range shard.waiting {
			delete(shard.waiting, token)
			r.receive(native.Error, failure.Document())
		}
		shard.mutex.Unlock()
	}
}
