package literllm

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The decoder's way through strings and past values that are not wanted.

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
	return out.String()
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
