// Package native is the C side: the functions of liter_llm.h as Go calls, and nothing above them.
//
// Every input is borrowed for the call and copied by the library before it returns, so slices go over
// by pointer. The library never calls back, and keeps no Go pointer.
package native

/*
#include "liter_llm.h"

#cgo noescape liter_llm_submit
#cgo nocallback liter_llm_submit
#cgo noescape liter_llm_queue_read
#cgo nocallback liter_llm_queue_read
#cgo noescape liter_llm_cancel
#cgo nocallback liter_llm_cancel
#cgo noescape liter_llm_collect
#cgo nocallback liter_llm_collect
#cgo noescape liter_llm_credit
#cgo nocallback liter_llm_credit
#cgo nocallback liter_llm_queue_next_size
#cgo nocallback liter_llm_free
*/
import "C"

import (
	"encoding/binary"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Statuses of the interface.
const (
	OK          = C.LITER_LLM_OK
	Failed      = C.LITER_LLM_FAILED
	Argument    = C.LITER_LLM_E_ARGUMENT
	Closed      = C.LITER_LLM_E_CLOSED
	Busy        = C.LITER_LLM_E_BUSY
	Space       = C.LITER_LLM_E_SPACE
	Unsupported = C.LITER_LLM_E_UNSUPPORTED
	Descriptors = C.LITER_LLM_E_DESCRIPTORS
)

// Flags of Submit: how the answer is to come.
const (
	Inline uint32 = C.LITER_LLM_SUBMIT_INLINE // on the thread that reads
	Stream uint32 = C.LITER_LLM_SUBMIT_STREAM
	Whole  uint32 = C.LITER_LLM_SUBMIT_WHOLE
	Single uint32 = C.LITER_LLM_SUBMIT_SINGLE // of one target
	Credit uint32 = C.LITER_LLM_SUBMIT_CREDIT // chunks are unread until credit is given for them
)

// Kinds of events.
const (
	Chunk  = C.LITER_LLM_EVENT_CHUNK
	Result = C.LITER_LLM_EVENT_RESULT
	Error  = C.LITER_LLM_EVENT_ERROR
	Log    = C.LITER_LLM_EVENT_LOG
)

// ABIVersion is that of the header this package is compiled against.
const ABIVersion = C.LITER_LLM_ABI_VERSION

// Head is the size of an event's head.
const Head = int(C.sizeof_liter_llm_event)

// LibraryABIVersion is that of the library that is linked.
func LibraryABIVersion() int { return int(C.liter_llm_abi_version()) }

// Version is the library's.
func Version() string { return C.GoString(C.liter_llm_version()) }

// empty is what a document of no bytes points at: NULL would be a missing one.
var empty [1]byte

func pointer(document []byte) *C.char {
	if len(document) == 0 {
		return (*C.char)(unsafe.Pointer(&empty[0]))
	}
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(document)))
}

// text takes a document over: its text, and its memory goes back.
func text(document *C.char, length C.size_t) string {
	if document == nil {
		return ""
	}
	defer C.liter_llm_free(document)
	return string(unsafe.Slice((*byte)(unsafe.Pointer(document)), length))
}

// Client is a client of the library's; it is freed when it cannot be reached any more.
type Client struct {
	handle *C.liter_llm_client
	Ended  atomic.Bool // Close was called
}

// NewClient makes a client from a configuration, or from the environment if it is nil. The environment
// is a document too. With Failed comes an error document.
func NewClient(config, environment []byte) (*Client, int, string) {
	var handle *C.liter_llm_client
	var failure *C.char
	var document *C.char
	if config != nil {
		document = pointer(config)
	}
	status := C.liter_llm_client_new_with_environment(document, C.size_t(len(config)),
		pointer(environment), C.size_t(len(environment)), &handle, &failure)
	if failure != nil {
		defer C.liter_llm_free(failure)
		return nil, int(status), C.GoString(failure)
	}
	if status != OK {
		return nil, int(status), ""
	}
	client := &Client{handle: handle}
	runtime.AddCleanup(client, func(handle *C.liter_llm_client) { C.liter_llm_client_free(handle) }, handle)
	return client, OK, ""
}

// Close stops taking requests, waits up to graceMS for those in flight, and cancels the rest.
func (c *Client) Close(graceMS uint32) int {
	status := C.liter_llm_client_close(c.handle, C.uint32_t(graceMS))
	runtime.KeepAlive(c)
	return int(status)
}

// Metrics is the document of counters; format ends in NUL.
func (c *Client) Metrics(format []byte) (string, int) {
	var document *C.char
	var length C.size_t
	status := C.liter_llm_client_metrics(c.handle, pointer(format), &document, &length)
	runtime.KeepAlive(c)
	return text(document, length), int(status)
}

// Queue is a completion queue; it is freed when it cannot be reached any more.
type Queue struct{ handle *C.liter_llm_queue }

// NewQueue makes a queue.
func NewQueue() (*Queue, int) {
	var handle *C.liter_llm_queue
	if status := C.liter_llm_queue_new(0, &handle); status != OK {
		return nil, int(status)
	}
	queue := &Queue{handle}
	runtime.AddCleanup(queue, func(handle *C.liter_llm_queue) { C.liter_llm_queue_free(handle) }, handle)
	return queue, OK
}

// FD is a descriptor that is readable while events wait; negative: a status.
func (q *Queue) FD() int {
	fd := C.liter_llm_queue_fd(q.handle)
	runtime.KeepAlive(q)
	return int(fd)
}

// Submit starts a request. Both documents are copied before it returns; no options: nil. how: flags.
func (q *Queue) Submit(client *Client, token uint64, how uint32, request, options []byte) int {
	status := C.liter_llm_submit(client.handle, q.handle, C.uint64_t(token), C.uint32_t(how),
		pointer(request), C.size_t(len(request)), pointer(options), C.size_t(len(options)))
	runtime.KeepAlive(client)
	runtime.KeepAlive(q)
	return int(status)
}

// Cancel asks a request to stop. Its last event still comes.
func (q *Queue) Cancel(token uint64) {
	C.liter_llm_cancel(q.handle, C.uint64_t(token))
	runtime.KeepAlive(q)
}

// Collect asks for the whole answer of a stream and no further chunk of it.
func (q *Queue) Collect(token uint64) {
	C.liter_llm_collect(q.handle, C.uint64_t(token))
	runtime.KeepAlive(q)
}

// Credit says that so many bytes more of a stream's chunks are consumed.
func (q *Queue) Credit(token uint64, bytes int) {
	C.liter_llm_credit(q.handle, C.uint64_t(token), C.uint64_t(bytes))
	runtime.KeepAlive(q)
}

// LogsOf adds the log records of one client's calls to this queue: 0 none, 1 error, 2 warn, 3 info,
// 4 debug. It replaces what the queue wanted before.
func (q *Queue) LogsOf(client *Client, level int) int {
	status := C.liter_llm_queue_logs_of(q.handle, client.handle, C.int32_t(level))
	runtime.KeepAlive(client)
	runtime.KeepAlive(q)
	return int(status)
}

// NoLogs ends that. It needs no client, which may be gone.
func (q *Queue) NoLogs() {
	C.liter_llm_queue_logs(q.handle, 0)
	runtime.KeepAlive(q)
}

// Read moves whole events into buffer and returns the bytes written; 0: none came in time; negative:
// a status. One goroutine at a time reads a queue.
func (q *Queue) Read(buffer []byte, timeoutMS int32) int {
	size := C.liter_llm_queue_read(q.handle, (*C.uint8_t)(unsafe.SliceData(buffer)),
		C.size_t(len(buffer)), C.int32_t(timeoutMS))
	runtime.KeepAlive(q)
	return int(size)
}

// NextSize is how many bytes the next event needs.
func (q *Queue) NextSize() int {
	size := C.liter_llm_queue_next_size(q.handle)
	runtime.KeepAlive(q)
	return int(size)
}

// Event is one record of what Read wrote. Payload points into the buffer.
type Event struct {
	Token   uint64
	Kind    uint32
	Payload []byte
}

// Next takes the first record, and returns those behind it.
func Next(records []byte) (Event, []byte) {
	length := int(binary.NativeEndian.Uint32(records[16:]))
	event := Event{
		Token:   binary.NativeEndian.Uint64(records),
		Kind:    binary.NativeEndian.Uint32(records[8:]),
		Payload: records[Head : Head+length : Head+length],
	}
	return event, records[Head+(length+7)&^7:]
}
