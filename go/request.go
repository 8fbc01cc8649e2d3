package literllm

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Ptr points at a value: literllm.Ptr(0.2).
func Ptr[T any](value T) *T { return &value }

// A request is the request of any operation.
type request interface {
	// encode writes the request without its options. The caller releases the encoder.
	encode() (*encoder, error)
	value(*encoder)
	write(*encoder)
	// beside are the request as JSON, further members, and the options.
	beside() (raw json.RawMessage, members map[string]any, options *Options)
	// bare reports whether only Raw and Options are given.
	bare() bool
}

// encodeRequest writes a request without its options. The caller releases the encoder.
func encodeRequest(r request) (*encoder, error) {
	raw, _, _ := r.beside()
	if raw != nil {
		e := &encoder{out: raw}
		onlyRaw(r, e)
		return e, e.err
	}
	e := encoders.Get().(*encoder)
	writeRequest(r, e)
	return e, e.err
}

// requestWithOptions writes a request and its options.
func requestWithOptions(r request) ([]byte, error) {
	e := &encoder{}
	raw, _, options := r.beside()
	if raw != nil {
		return rawWithOptions(r, e)
	}
	writeRequest(r, e)
	if options != nil && e.err == nil {
		e.out = e.out[:len(e.out)-1]
		if e.out[len(e.out)-1] != '{' {
			e.comma()
		}
		e.name("options")
		options.value(e)
		e.close('}')
	}
	return e.out, e.err
}

// onlyRaw is an error for fields that would be passed over.
func onlyRaw(r request, e *encoder) {
	if !r.bare() {
		e.wrong("", "a request is given as Raw or in the other fields, not both: put all of it into Raw")
	}
}

// rawWithOptions is the request that is given as JSON, with the options beside it put inside.
func rawWithOptions(r request, e *encoder) ([]byte, error) {
	onlyRaw(r, e)
	raw, _, options := r.beside()
	body := bytes.TrimSpace(raw)
	if options == nil || e.err != nil || !json.Valid(body) || body[0] != '{' {
		return raw, e.err
	}
	e.open('{')
	e.inner(JSON(body))
	e.name("options") // the last of members with one name counts
	e.open('{')
	e.inner(optionsInside(body))
	options.write(e)
	e.close('}')
	e.close('}')
	return e.out, e.err
}

func writeRequest(r request, e *encoder) {
	e.open('{')
	r.write(e)
	_, members, _ := r.beside()
	e.members(members)
	e.close('}')
}

// optionsInside are the options that a request's own document has, or "". The engine refuses a
// value that is no object.
func optionsInside(request []byte) JSON {
	inside := memberInside(request, "options")
	if !strings.HasPrefix(string(inside), "{") || !json.Valid([]byte(inside)) {
		return ""
	}
	return inside
}

// checkWhole is an error for a request that asks for a stream of a method that waits for the whole
// answer. A value that is no boolean, the engine refuses.
func checkWhole(request []byte, method string) error {
	if memberInside(request, "stream") != "true" {
		return nil
	}
	return wrongStream("stream is true, but %s waits for the whole answer: use Client.Stream", method)
}

// checkStream is an error for a request that asks for no stream where one is made.
func checkStream(request []byte) error {
	if memberInside(request, "stream") != "false" {
		return nil
	}
	return wrongStream("stream is false, but this makes a stream: ask with Client.%s", "Chat")
}

func wrongStream(format, method string) *Error {
	failure := newError(ErrInvalidRequest, format, method)
	failure.Param = "stream"
	return failure
}

// memberInside is a member of a request's document as it is written, or "". The last of members with
// one name counts. Most documents do not have the name at all and are not read.
func memberInside(request []byte, name string) (inside JSON) {
	if !bytes.Contains(request, []byte(`"`+name+`"`)) {
		return ""
	}
	d := decoder{text: text(request)}
	for more := d.begin('{'); more; more = d.more('}') {
		if d.name() == name {
			inside = d.raw()
		} else {
			d.skip()
		}
	}
	if d.failed || d.peek() != 0 {
		return ""
	}
	return inside
}

// counted is a chat request whose tokens are to be counted.
type counted struct{ *ChatRequest }

// encode writes the chat request with another operation. The engine says what is wrong with a Raw
// that is no object.
func (v counted) encode() (*encoder, error) {
	chat, err := v.ChatRequest.encode()
	if err != nil {
		return nil, err
	}
	body := bytes.TrimSpace(chat.out)
	if !bytes.HasPrefix(body, []byte("{")) || !bytes.HasSuffix(body, []byte("}")) {
		return chat, nil
	}
	e := &encoder{out: make([]byte, 0, len(body)+32)}
	e.open('{')
	e.inner(JSON(body))
	e.text("op", "count_tokens") // the last of members with one name counts
	e.close('}')
	chat.release()
	return e, nil
}
