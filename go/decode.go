package literllm

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// JSON is a JSON value as text. Numbers stay as they were written, and members in their order.
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

// A decoder reads a JSON document in one pass. Strings without escapes, and raw values, are parts
// of the text, so nothing is copied. The documents come from the engine, which writes valid JSON.
// Anything else sets failed, and the rest reads as zero values.
type decoder struct {
	text   string
	at     int
	failed bool
	counts []int64 // for those that are still to come
	fault  int     // where it failed
}

func (d *decoder) fail() {
	if !d.failed {
		d.failed, d.fault = true, d.at
	}
	d.at = len(d.text)
}

// answered is the error of a document that cannot be read.
func (d *decoder) answered(what string) error {
	if !d.failed {
		return nil
	}
	return newError(ErrInternal, "the engine's %s cannot be read from byte %d on", what, d.fault)
}

// unmarshal reads a value of ours.
func unmarshal[T any](into *T, read func(*T, *decoder), document []byte, what string) error {
	d := decoder{text: string(document)}
	var made T
	read(&made, &d)
	if d.failed {
		return newError(ErrInvalidRequest, "the JSON of a %s cannot be read from byte %d on: "+
			"a value there has the wrong type", what, d.fault)
	}
	*into = made
	return nil
}

// milliseconds is this number of them, or the longest time that there is.
func milliseconds(n int64) time.Duration {
	if n > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(n) * time.Millisecond
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

// begin goes past the begin of an object or array and returns whether something is inside. A null
// has nothing inside.
func (d *decoder) begin(c byte) bool {
	switch {
	case d.null():
		return false
	case !d.take(c):
		d.fail()
		return false
	case d.take(c + 2): // } is { and two, ] is [ and two
		return false
	}
	return true
}

// more goes past a comma, or past the end, and returns whether something more is inside.
func (d *decoder) more(end byte) bool {
	if d.take(',') {
		return true
	}
	if !d.take(end) {
		d.fail()
	}
	return false
}

// name reads a member's name; its value comes next.
func (d *decoder) name() string {
	name := d.string()
	if !d.take(':') {
		d.fail()
	}
	return name
}

// list reads an array; null is nil.
func list[T any](d *decoder, read func(*T, *decoder)) []T {
	if d.null() {
		return nil
	}
	items := []T{}
	for more := d.begin('['); more; more = d.more(']') {
		var item T
		items = append(items, item)
		read(&items[len(items)-1], d)
	}
	return items
}

// table reads an object with any names; null is nil.
func table[T any](d *decoder, read func(*T, *decoder)) map[string]T {
	if d.null() {
		return nil
	}
	items := map[string]T{}
	for more := d.begin('{'); more; more = d.more('}') {
		name := d.name()
		var item T
		read(&item, d)
		items[name] = item
	}
	return items
}

// texts reads a list of strings, or one; null is nil.
func (d *decoder) texts() []string {
	if d.peek() == '"' {
		return []string{d.string()}
	}
	return list(d, func(item *string, d *decoder) { *item = d.string() })
}

// textOrJSON reads a string, or a value as text.
func (d *decoder) textOrJSON() string {
	if d.peek() == '"' {
		return d.string()
	}
	return string(d.raw())
}

// word reads this one word.
func (d *decoder) word(word string) bool {
	if d.string() != word {
		d.fail()
	}
	return !d.failed
}

// other keeps a member that has no field: its text, for encoding/json.
func (d *decoder) other(rest map[string]any, name string) map[string]any {
	if rest == nil {
		rest = map[string]any{}
	}
	value, _ := d.raw().MarshalJSON()
	rest[name] = json.RawMessage(value)
	return rest
}

// decode reads a value as encoding/json does; null leaves it as it is.
func (d *decoder) decode(into any) {
	if value := d.raw(); value != "" && value.Decode(into) != nil {
		d.fail()
	}
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

// integer reads a number; null is 0. A number that is too large is the largest integer.
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

// int reads a number; null is nil.
func (d *decoder) int() *int {
	if d.null() {
		return nil
	}
	value := int(d.integer())
	return &value
}

// count reads a number; null is nil. Counts are many, so several lie in one piece of memory.
func (d *decoder) count() *int64 {
	if d.null() {
		return nil
	}
	if len(d.counts) == 0 {
		d.counts = make([]int64, 10)
	}
	count := &d.counts[0]
	d.counts = d.counts[1:]
	*count = d.integer()
	return count
}

// number64 reads a number; null is nil.
func (d *decoder) number64() *float64 {
	if d.null() {
		return nil
	}
	value := d.float()
	return &value
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

// flag reads true or false; null is nil.
func (d *decoder) flag() *bool {
	if d.null() {
		return nil
	}
	value := d.boolean()
	return &value
}

// no reads false.
func (d *decoder) no() bool {
	if d.boolean() {
		d.fail()
	}
	return !d.failed
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
