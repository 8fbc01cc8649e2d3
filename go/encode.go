package literllm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// An encoder writes a JSON object's members. The first value that cannot be written is its error.
// encoding/json would put U+FFFD in place of bytes that are not UTF-8, and the model would get
// something other than the caller's text.
type encoder struct {
	out  []byte
	err  error
	kept bool // out is to be used again
}

// encoders are for documents that are copied at once, which are those handed to the engine.
var encoders = sync.Pool{New: func() any { return &encoder{kept: true} }}

// release gives an encoder back, unless its memory has become large or is the caller's.
func (e *encoder) release() {
	if e.kept && cap(e.out) <= bufferSize {
		e.out, e.err = e.out[:0], nil
		encoders.Put(e)
	}
}

// open begins an object or array, and close ends it. Until then a comma stands after each member.
func (e *encoder) open(c byte) { e.out = append(e.out, c) }

func (e *encoder) close(c byte) {
	if last := len(e.out) - 1; e.out[last] == ',' {
		e.out[last] = c
	} else {
		e.out = append(e.out, c)
	}
}

func (e *encoder) comma() { e.out = append(e.out, ',') }

// name begins a member. Names of ours need no escapes.
func (e *encoder) name(name string) {
	e.out = append(e.out, '"')
	e.out = append(e.out, name...)
	e.out = append(e.out, '"', ':')
}

// string writes a member, unless it is "".
func (e *encoder) string(name, value string) {
	if value != "" {
		e.text(name, value)
	}
}

// text writes a member, even if it is "".
func (e *encoder) text(name, value string) {
	e.name(name)
	e.quote(name, value)
	e.comma()
}

// key begins a member whose name may be anything.
func (e *encoder) key(name string) {
	e.quote("a member's name", name)
	e.out = append(e.out, ':')
}

// list begins a member that is a list, and end ends it, or an object.
func (e *encoder) list(name string) {
	e.name(name)
	e.open('[')
}

func (e *encoder) end(c byte) {
	e.close(c)
	e.comma()
}

// off writes false, in place of settings.
func (e *encoder) off() { e.out = append(e.out, "false"...) }

// texts writes a list of strings. A nil list is written only if it is required, as an empty one.
func (e *encoder) texts(name string, values []string, required bool) {
	if values == nil && !required {
		return
	}
	e.list(name)
	for _, value := range values {
		e.quote(name, value)
		e.comma()
	}
	e.end(']')
}

// whole writes a member.
func (e *encoder) whole(name string, value int64) {
	e.name(name)
	e.out = strconv.AppendInt(e.out, value, 10)
	e.comma()
}

// integer writes a member, unless it is 0.
func (e *encoder) integer(name string, value int64) {
	if value != 0 {
		e.whole(name, value)
	}
}

// number writes a member, unless it is nil.
func number[T int | int64](e *encoder, name string, value *T) {
	if value != nil {
		e.whole(name, int64(*value))
	}
}

// float writes a member, unless it is nil.
func (e *encoder) float(name string, value *float64) {
	if value != nil {
		e.name(name)
		if size := math.Abs(*value); size == 0 || size >= 1e-6 && size < 1e21 {
			e.out = strconv.AppendFloat(e.out, *value, 'f', -1, 64)
		} else { // an exponent, or what JSON cannot say
			e.any(name, *value)
		}
		e.comma()
	}
}

// boolean writes a member, unless it is nil.
func (e *encoder) boolean(name string, value *bool) {
	if value != nil {
		e.name(name)
		e.out = strconv.AppendBool(e.out, *value)
		e.comma()
	}
}

// true writes a member that is true.
func (e *encoder) true(name string, value bool) {
	if value {
		e.boolean(name, &value)
	}
}

// json writes a member that is JSON already, unless it is "".
func (e *encoder) json(name string, value JSON) {
	if value != "" {
		e.value(name, value)
	}
}

// duration writes a member in milliseconds, unless it is 0. A part of one is rounded up.
//
// A plain number is a number of nanoseconds. Timeout: 30 compiles, and is meant as something else.
func (e *encoder) duration(name string, value time.Duration) {
	if value > 0 && value < time.Millisecond {
		e.wrong(name, fmt.Sprintf("%s is %s: give a time of at least 1 ms with its unit, as in 30*time.Second",
			name, value))
		return
	}
	e.milliseconds(name, value)
}

// milliseconds writes a member in milliseconds, unless it is 0. A part of one is rounded up.
func (e *encoder) milliseconds(name string, value time.Duration) {
	ms := int64(value / time.Millisecond)
	switch rest := value % time.Millisecond; {
	case rest > 0:
		ms++
	case rest < 0: // an error, as all that is below 0
		ms--
	}
	e.integer(name, ms)
}

// value writes a member of any type, unless it is nil.
func (e *encoder) value(name string, value any) {
	if value != nil {
		e.name(name)
		e.any(name, value)
		e.comma()
	}
}

// members writes further members, whose names may be anything.
func (e *encoder) members(members map[string]any) {
	for name, value := range members {
		e.key(name)
		e.any(name, value)
		e.comma()
	}
}

// inner writes the members of an object that is JSON already.
func (e *encoder) inner(object JSON) {
	inside := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(string(object), "{"), "}"))
	if inside != "" {
		e.out = append(e.out, inside...)
		e.comma()
	}
}

const hex = "0123456789abcdef"

// quote writes a string. Characters that JSON does not require to be escaped stay as they are.
func (e *encoder) quote(name, value string) {
	if !utf8.ValidString(value) {
		if e.err == nil {
			e.err = notUTF8(name)
		}
		return
	}
	out := append(e.out, '"')
	from := 0
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, value[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, '\\', 'n')
		case '\t':
			out = append(out, '\\', 't')
		case '\r':
			out = append(out, '\\', 'r')
		default:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	out = append(out, value[from:]...)
	e.out = append(out, '"')
}

// wrong is the error for values that cannot be sent as they are.
func (e *encoder) wrong(param, message string) {
	if e.err == nil {
		failure := newError(ErrInvalidRequest, "%s", message)
		failure.Param = param
		e.err = failure
	}
}

// only is the one kind of value that a union has. Two kinds are an error.
func (e *encoder) only(kind, word, param, told string) string {
	if kind != "" && kind != word {
		e.wrong(param, told)
	}
	return word
}

func notUTF8(name string) *Error {
	failure := newError(ErrInvalidRequest, "%s is not UTF-8: a Go string may hold any bytes, a request "+
		"only text", name)
	failure.Param = name
	return failure
}

// whole is a value of ours as JSON.
func whole(value interface{ value(*encoder) }) ([]byte, error) {
	e := encoder{}
	value.value(&e)
	return e.out, e.err
}

// any writes a value as encoding/json does.
func (e *encoder) any(name string, value any) {
	text, err := marshal(name, value)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.out = append(e.out, text...)
}

// marshal is encoding/json without HTML's escapes, and with an error for what is not UTF-8.
func marshal(name string, value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		failure := newError(ErrInvalidRequest, "%s cannot be written as JSON: %v", name, err)
		failure.Param, failure.cause = name, err
		return nil, failure
	}
	text := bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
	// Bytes that are not UTF-8 are written in this form, and hardly anything else is.
	if bytes.Contains(text, []byte(`\ufffd`)) && !validStrings(reflect.ValueOf(value), 0) {
		return nil, notUTF8(name)
	}
	return text, nil
}

// validStrings reports whether all strings that can be reached are UTF-8.
func validStrings(value reflect.Value, depth int) bool {
	if depth > 1000 { // encoding/json has refused cycles
		return true
	}
	switch value.Kind() {
	case reflect.String:
		return utf8.ValidString(value.String())
	case reflect.Interface, reflect.Pointer:
		return value.IsNil() || validStrings(value.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return true // base64, or JSON as it is
		}
		for i := range value.Len() {
			if !validStrings(value.Index(i), depth+1) {
				return false
			}
		}
	case reflect.Map:
		for items := value.MapRange(); items.Next(); {
			if !validStrings(items.Key(), depth+1) || !validStrings(items.Value(), depth+1) {
				return false
			}
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if !validStrings(value.Field(i), depth+1) {
				return false
			}
		}
	}
	return true
}
