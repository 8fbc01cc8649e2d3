package literllm

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"time"
)

// What a caller passes can be read from JSON, too: as the contract has it, and as MarshalJSON writes it.

// others are the members of an object that have no field in a struct: they are kept beside it.
func others(document []byte, fields any) (rest map[string]any, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, err
	}
	of := reflect.TypeOf(fields)
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		delete(members, name)
	}
	if len(members) > 0 {
		rest = make(map[string]any, len(members))
		for name, value := range members {
			rest[name] = value
		}
	}
	return rest, nil
}

// isText says whether a document is a string, and isFalse whether it is false: the short forms.
func isText(document []byte) bool  { return bytes.HasPrefix(document, []byte{'"'}) }
func isFalse(document []byte) bool { return string(document) == "false" }

// texts are a list of strings, or one.
type texts []string

func (t *texts) UnmarshalJSON(document []byte) error {
	if isText(document) {
		*t = texts{""}
		return json.Unmarshal(document, &(*t)[0])
	}
	return json.Unmarshal(document, (*[]string)(t))
}

// UnmarshalJSON reads a request document. Members without a field are in Members.
func (r *ChatRequest) UnmarshalJSON(document []byte) (err error) {
	type plain ChatRequest
	var read struct {
		plain
		Stop texts `json:"stop"`
	}
	if err := json.Unmarshal(document, &read); err != nil {
		return err
	}
	read.plain.Stop = read.Stop
	if read.Members, err = others(document, *r); err == nil {
		*r = ChatRequest(read.plain)
	}
	return err
}

// UnmarshalJSON reads an options document. Members without a field are in Extra.
func (o *Options) UnmarshalJSON(document []byte) (err error) {
	type plain Options
	var read plain
	if err := json.Unmarshal(document, &read); err != nil {
		return err
	}
	for _, time := range []*time.Duration{&read.Timeout, &read.Idle} {
		*time = milliseconds(int64(*time))
	}
	if read.Extra, err = others(document, *o); err == nil {
		*o = Options(read)
	}
	return err
}

// milliseconds is so many, or the longest time that there is.
func milliseconds(n int64) time.Duration {
	if n > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(n) * time.Millisecond
}

// UnmarshalJSON reads a tool. Members without a field are in Members.
func (t *Tool) UnmarshalJSON(document []byte) (err error) {
	type plain Tool
	var read plain
	if err := json.Unmarshal(document, &read); err != nil {
		return err
	}
	if read.Members, err = others(document, *t); err == nil {
		*t = Tool(read)
	}
	return err
}

// UnmarshalJSON reads both of its forms.
func (t *ToolChoice) UnmarshalJSON(document []byte) error {
	var read struct{ Function struct{ Name string } }
	if isText(document) {
		*t = ToolChoice{}
		return json.Unmarshal(document, &t.Mode)
	}
	err := json.Unmarshal(document, &read)
	*t = ToolChoice{Function: read.Function.Name}
	return err
}

// UnmarshalJSON reads an object, or false.
func (r *Retry) UnmarshalJSON(document []byte) error {
	type plain Retry
	read := plain{Off: isFalse(document)}
	if !read.Off {
		if err := json.Unmarshal(document, &read); err != nil {
			return err
		}
	}
	*r = Retry(read)
	return nil
}

// UnmarshalJSON reads an object, or false.
func (h *Hedge) UnmarshalJSON(document []byte) error {
	var read struct {
		After json.RawMessage `json:"after_ms"`
		Max   int             `json:"max"`
	}
	if isFalse(document) {
		*h = Hedge{Off: true}
		return nil
	}
	if err := json.Unmarshal(document, &read); err != nil {
		return err
	}
	*h = Hedge{P95: string(read.After) == `"p95"`, Max: read.Max}
	if h.P95 || read.After == nil {
		return nil
	}
	return json.Unmarshal(read.After, &h.AfterMS)
}

// UnmarshalJSON reads an object, or false.
func (b *RetryBudget) UnmarshalJSON(document []byte) error {
	type plain RetryBudget
	read := plain{Off: isFalse(document)}
	if !read.Off {
		if err := json.Unmarshal(document, &read); err != nil {
			return err
		}
	}
	*b = RetryBudget(read)
	return nil
}

// UnmarshalJSON reads an object, or the target's name.
func (t *Target) UnmarshalJSON(document []byte) error {
	type plain Target
	var read plain
	var err error
	if isText(document) {
		err = json.Unmarshal(document, &read.Target)
	} else {
		err = json.Unmarshal(document, &read)
	}
	*t = Target(read)
	return err
}
