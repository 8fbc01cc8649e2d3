package literllm

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON is a JSON value as text: numbers as they were written, members in their order.
type JSON string

// Decode reads the value into v, as json.Unmarshal does.
func (j JSON) Decode(v any) error { return json.Unmarshal([]byte(j), v) }

// MarshalJSON is the text itself.
func (j JSON) MarshalJSON() ([]byte, error) {
	if j == "" {
		return []byte("null"), nil
	}
	return []byte(j), nil
}

// UnmarshalJSON keeps the text.
func (j *JSON) UnmarshalJSON(text []byte) error {
	*j = JSON(text)
	return nil
}

// A decoder reads a JSON document in one pass. Strings without escapes, and raw values, are parts of
// the text: nothing is copied. The documents come from the engine, which writes valid JSON; anything
// else sets failed, and the rest reads as zero values.
type decoder struct {
	text   string
	at     int
	failed bool
	// The last string with escapes, as it was written and as it was read: a response has its first
	// choice's text twice.
	written, read string
}

func (d *decoder) fail() {
	d.failed = true
	d.at = len(d.text)
}

// peek is the next character that is not white space, or 0.
func (d *decoder) peek() byte {
	for d.at < len(d.text) {
		switch c := d.text[d.at]; c {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return c
		}
	}
	return 0
}

// take goes past a character, if it is the next.
func (d *decoder) take(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.at++
	return true
}

// null goes past a null, if it is the next.
func (d *decoder) null() bool {
	if d.peek() != 'n' {
		return false
	}
	if !strings.HasPrefix(d.text[d.at:], "null") {
		d.fail()
		return true
	}
	d.at += len("null")
	return true
}

// object calls member for each member of an object, or for none of a null; it must read the value.
func (d *decoder) object(member func(name string)) {
	if d.null() {
		return
	}
	if !d.take('{') {
		d.fail()
		return
	}
	if d.take('}') {
		return
	}
	for !d.failed {
		name := d.string()
		if !d.take(':') {
			d.fail()
			return
		}
		member(name)
		if d.take('}') {
			return
		}
		if !d.take(',') {
			d.fail()
		}
	}
}

// array calls item for each item of an array, or for none of a null; it must read the value.
func (d *decoder) array(item func()) {
	if d.null() {
		return
	}
	if !d.take('[') {
		d.fail()
		return
	}
	if d.take(']') {
		return
	}
	for !d.failed {
		item()
		if d.take(']') {
			return
		}
		if !d.take(',') {
			d.fail()
		}
	}
}

// string reads a string; null is "".
func (d *decoder) string() string {
	if d.null() {
		return ""
	}
	if !d.take('"') {
		d.fail()
		return ""
	}
	rest := d.text[d.at:]
	end := strings.IndexByte(rest, '"')
	if end < 0 {
		d.fail()
		return ""
	}
	if strings.IndexByte(rest[:end], '\\') >= 0 {
		return d.escaped()
	}
	d.at += end + 1
	return rest[:end]
}

var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escaped reads a string with escapes, from behind its first quote.
func (d *decoder) escaped() string {
	from := d.at
	d.at--
	d.skipString()
	if d.failed {
		return ""
	}
	written := d.text[from : d.at-1]
	if written == d.written {
		return d.read
	}
	var out strings.Builder
	out.Grow(len(written))
	in := decoder{text: written}
	for {
		rest := written[in.at:]
		escape := strings.IndexByte(rest, '\\')
		if escape < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:escape])
		in.at += escape
		in.escape(&out)
	}
	if in.failed {
		d.fail()
		return ""
	}
	d.written, d.read = written, out.String()
	return d.read
}

// escape reads one escape.
func (d *decoder) escape(out *strings.Builder) {
	if d.at+2 > len(d.text) {
		d.fail()
		return
	}
	c := d.text[d.at+1]
	if c == 'u' {
		first := d.unit()
		if utf16.IsSurrogate(first) {
			at := d.at
			second := rune(utf8.RuneError)
			if strings.HasPrefix(d.text[at:], `\u`) {
				second = d.unit()
			}
			if first = utf16.DecodeRune(first, second); first == utf8.RuneError {
				d.at = at
			}
		}
		out.WriteRune(first)
		return
	}
	if escapes[c] == 0 {
		d.fail()
		return
	}
	out.WriteByte(escapes[c])
	d.at += 2
}

// unit reads \uXXXX.
func (d *decoder) unit() rune {
	if d.at+6 > len(d.text) {
		d.fail()
		return utf8.RuneError
	}
	unit, err := strconv.ParseUint(d.text[d.at+2:d.at+6], 16, 16)
	if err != nil {
		d.fail()
		return utf8.RuneError
	}
	d.at += 6
	return rune(unit)
}

// number is the text of a number; of null it is "".
func (d *decoder) number() string {
	if d.null() {
		return ""
	}
	from := d.at
	for d.at < len(d.text) {
		switch c := d.text[d.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			d.at++
		default:
			return d.text[from:d.at]
		}
	}
	return d.text[from:]
}

// integer reads a number; null is 0. One that is too large is the largest that there is.
func (d *decoder) integer() int64 {
	text := d.number()
	if text == "" {
		return 0
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		d.fail()
	}
	return value
}

// float reads a number; null is 0.
func (d *decoder) float() float64 {
	text := d.number()
	if text == "" {
		return 0
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d.fail()
	}
	return value
}

// boolean reads true or false; null is false.
func (d *decoder) boolean() bool {
	switch text := d.raw(); text {
	case "true":
		return true
	case "false", "":
	default:
		d.fail()
	}
	return false
}

// raw is a value as text; null is "".
func (d *decoder) raw() JSON {
	if d.null() {
		return ""
	}
	from := d.at
	d.skip()
	return JSON(d.text[from:d.at])
}

// skip goes past a value.
func (d *decoder) skip() {
	depth := 0
	for d.peek() != 0 {
		switch d.text[d.at] {
		case '"':
			d.skipString()
		case '{', '[':
			depth++
			d.at++
		case '}', ']':
			depth--
			d.at++
		case ',', ':':
			d.at++
			continue
		default:
			d.skipWord()
		}
		if depth <= 0 {
			return
		}
	}
	d.fail()
}

// skipString goes past a string.
func (d *decoder) skipString() {
	for at := d.at + 1; ; at++ {
		quote := strings.IndexByte(d.text[at:], '"')
		if quote < 0 {
			d.fail()
			return
		}
		at += quote
		slashes := 0
		for d.text[at-1-slashes] == '\\' { // the string's first quote ends it
			slashes++
		}
		if slashes%2 == 0 {
			d.at = at + 1
			return
		}
	}
}

// skipWord goes past a number, true, false or null.
func (d *decoder) skipWord() {
	from := d.at
	for d.at < len(d.text) && strings.IndexByte(",:]} \t\r\n\"{[", d.text[d.at]) < 0 {
		d.at++
	}
	if d.at == from {
		d.fail()
	}
}
