"""The methods of Go's structs: what writes them, and what reads them."""

from __future__ import annotations

from . import go_names
from .go_fields import Field


def asked_methods(name: str, fields: list[Field], off: bool, rest: str, request: bool) -> str:
    """What writes a struct. A request's MarshalJSON has more to do: `request_methods`."""
    out = []
    if not request:
        out.append(f"""
// MarshalJSON writes the document.
func (v {name}) MarshalJSON() ([]byte, error) {{ return whole(&v) }}

// UnmarshalJSON reads a document.
func (v *{name}) UnmarshalJSON(document []byte) error {{
	return unmarshal(v, (*{name}).read, document, "{name}")
}}
""")
    written_off = "\tif v.Off {\n\t\te.off()\n\t\treturn\n\t}\n" if off else ""
    out.append(f"""
func (v *{name}) value(e *encoder) {{
{written_off}	e.open('{{')
	v.write(e)
	e.close('}}')
}}

// write writes the members.
func (v *{name}) write(e *encoder) {{
""")
    out += [f"\t{line}\n" for field in fields for line in field.write]
    if rest:
        out.append(f"\te.members(v.{rest})\n")
    return "".join([*out, "}\n"])


def request_methods(name: str) -> str:
    """What a request has beside its members: options, further members, and itself as JSON."""
    return f"""
// MarshalJSON writes the request document, with its options.
func (v {name}) MarshalJSON() ([]byte, error) {{ return requestWithOptions(&v) }}

// UnmarshalJSON reads a request document. Members without a field are in Members.
func (v *{name}) UnmarshalJSON(document []byte) error {{
	return unmarshal(v, (*{name}).read, document, "{name}")
}}

// encode writes the request without its options. The encoder is to be released.
func (v *{name}) encode() (*encoder, error) {{
	if v == nil {{
		return nil, newError(ErrInvalidRequest, "the request is nil")
	}}
	return encodeRequest(v)
}}

func (v *{name}) beside() (json.RawMessage, map[string]any, *Options) {{
	return v.Raw, v.Members, v.Options
}}

func (v *{name}) bare() bool {{
	others := *v
	others.Raw, others.Options = nil, nil
	return reflect.ValueOf(others).IsZero()
}}
"""


def answer_methods(name: str) -> str:
    """What an answer has beside its members: itself as the engine wrote it."""
    return f"""
// Document is the answer as the engine wrote it: JSON text with every member.
func (v *{name}) Document() JSON {{ return JSON(v.document) }}

// MarshalJSON is the document; of an answer that was not read from one, its fields.
func (v {name}) MarshalJSON() ([]byte, error) {{
	if v.document == "" {{
		type plain {name}
		return marshal("the {name}", plain(v))
	}}
	return v.Document().MarshalJSON()
}}

// UnmarshalJSON reads a document.
func (v *{name}) UnmarshalJSON(document []byte) error {{
	read, err := read{name}(string(document))
	if err == nil {{
		*v = *read
	}}
	return err
}}

func read{name}(document string) (*{name}, error) {{
	d := decoder{{text: document}}
	v := &{name}{{document: document}}
	v.read(&d)
	if err := d.answered("{name}"); err != nil {{
		return nil, err
	}}
{go_names.COMPUTED.get(name, "")}	return v, nil
}}
"""


def reader(name: str, fields: list[Field], off: bool, short: str, rest: str) -> str:
    """What reads a struct."""
    out = [f"\nfunc (v *{name}) read(d *decoder) {{\n"]
    if off:
        out.append("\tif d.peek() == 'f' {\n\t\tv.Off = d.no()\n\t\treturn\n\t}\n")
    if short:
        out.append(f"\tif d.peek() == '\"' {{\n\t\tv.{short} = d.string()\n\t\treturn\n\t}}\n")
    out.append("\tfor more := d.begin('{'); more; more = d.more('}') {\n")
    out.append(f"\t\tswitch {'name := ' if rest else ''}d.name(){'; name' if rest else ''} {{\n")
    for field in fields:
        if not field.member:
            continue
        same = [
            other
            for (record, other), member in go_names.OTHER_NAMES.items()
            if (record, member) == (name, field.member)
        ]
        names = ", ".join(f'"{one}"' for one in [field.member, *same])
        out.append(f"\t\tcase {names}:\n")
        out += [f"\t\t\t{line}\n" for line in field.read]
    other = f"v.{rest} = d.other(v.{rest}, name)" if rest else "d.skip()"
    return "".join([*out, f"\t\tdefault:\n\t\t\t{other}\n\t\t}}\n\t}}\n}}\n"])
