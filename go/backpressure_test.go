package literllm_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// Streams without a reader stay small, and other requests go on.
func TestASlowReader(t *testing.T) {
	notShort(t, "it measures memory")
	const size = 24 << 20
	client := open(t, withFast(free("bytes=25165824,chunks=6000")))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ask(t, client, fast("warm"))
	debug.FreeOSMemory()
	before := resident(t)
	streams := make([]*literllm.ChatStream, 4)
	for i := range streams {
		of := context.Background()
		if i == 1 {
			of = ctx
		}
		stream, err := client.OpenStream(of, prompt("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		if chunk, err := stream.Next(); err != nil || chunk.Text != "" { // it has the role
			t.Fatal(chunk, err)
		}
		streams[i] = stream
	}
	for range 500 { // other requests go on and give the streams time to fill up
		ask(t, client, fast("Hello"))
	}
	openRequests(t, 4)
	debug.FreeOSMemory()
	if grown := resident(t) - before; grown > 32<<20 {
		t.Errorf("%d bytes more", grown)
	}
	// One stream is cancelled half read, one is closed, one is forgotten. The last is read to its end.
	cancel()
	var err error
	for err == nil {
		_, err = streams[1].Next()
	}
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	streams[2].Close()
	last := streams[0]
	streams = nil
	eventually(t, func() (bool, any) {
		runtime.GC()
		s := simulatorStats(t)
		return s.RequestsOpen == 1, s
	})
	length := 0
	for {
		chunk, err := last.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		length += len(chunk.Text)
	}
	response, err := last.Response()
	if err != nil || len(response.Text) != size || length != size {
		t.Error(err, length)
	}
}

func TestLeavingARangeHalfRead(t *testing.T) {
	client := open(t, withFast(free("bytes=25165824,chunks=6000")))
	for n := range 20 {
		for _, err := range client.Stream(context.Background(), prompt("Hello")) {
			if err != nil {
				t.Fatal(err)
			}
			if n--; n < 0 {
				break
			}
		}
		ask(t, client, fast("Hello"))
		// The next stream comes through the same queue, without the events that were left in it.
		text := ""
		for chunk, err := range client.Stream(context.Background(), fast("again")) {
			if err != nil {
				t.Fatal(err)
			}
			text += chunk.Text
		}
		if text != "You said: again" {
			t.Errorf("%q", text)
		}
	}
	openRequests(t, 0)
}

// A stream costs its socket: one queue tells of all streams.
func TestAStreamCostsOneDescriptor(t *testing.T) {
	client := open(t, free("chunks=10,burst=2,interval_ms=600000"))
	begin := func() *literllm.ChatStream {
		stream, err := client.OpenStream(context.Background(), prompt("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Next(); err != nil {
			t.Fatal(err)
		}
		return stream
	}
	streams := []*literllm.ChatStream{begin()}
	before := descriptors(t)
	for range 100 {
		streams = append(streams, begin())
	}
	if opened := descriptors(t) - before; opened > 100+5 {
		t.Errorf("%d descriptors", opened)
	}
	for _, stream := range streams {
		stream.Close()
	}
	openRequests(t, 0)
}
