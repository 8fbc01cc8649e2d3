package literllm

// User is a user's message.
func User(content string) Message { return Message{Role: "user", Content: content} }

// System is a system message.
func System(content string) Message { return Message{Role: "system", Content: content} }

// Assistant is a message of the model's.
func Assistant(content string) Message { return Message{Role: "assistant", Content: content} }

// ToolResult is the result of a tool call.
func ToolResult(callID, content string) Message {
	return Message{Role: "tool", ToolCallID: callID, Content: content}
}

// writeContent writes a message's content, even "". Only an assistant's message may lack it, if it
// speaks otherwise.
func (m *Message) writeContent(e *encoder) {
	switch {
	case m.Parts != nil && m.Content != "":
		e.wrong("messages.content", "a message has Content or Parts, not both: Text(…) makes a part of a text")
	case m.Parts != nil:
		e.list("content")
		for i := range m.Parts {
			m.Parts[i].value(e)
			e.comma()
		}
		e.end(']')
	case m.Content != "" || !m.speaksOtherwise():
		e.text("content", m.Content)
	}
}

// speaksOtherwise: only an assistant's message may be without content.
func (m *Message) speaksOtherwise() bool {
	return m.Role == "assistant" && (len(m.ToolCalls) > 0 || m.Refusal != "" || m.Reasoning != "" ||
		m.ProviderFields != "" || len(m.Images) > 0 || m.Audio != nil)
}

// Text is a part of text.
func Text(text string) Part { return Part{Type: "text", Text: text} }

// Image is an image, by an https:// or data: URL.
func Image(url string) Part { return Part{Type: "image_url", ImageURL: &ImageURL{URL: url}} }

// A ToolChoice is a word or a function's name.
type ToolChoice struct {
	// Mode is "auto", "none", "required" or "any".
	Mode string
	// Function is the one that must be called.
	Function string
}

// MarshalJSON writes the choice.
func (t ToolChoice) MarshalJSON() ([]byte, error) { return whole(&t) }

// UnmarshalJSON reads each of its forms.
func (t *ToolChoice) UnmarshalJSON(document []byte) error {
	return unmarshal(t, (*ToolChoice).read, document, "ToolChoice")
}

func (t *ToolChoice) value(e *encoder) {
	if t.Function == "" {
		e.quote("tool_choice", t.Mode)
		return
	}
	e.open('{')
	e.text("type", "function")
	e.name("function")
	e.open('{')
	e.text("name", t.Function)
	e.close('}')
	e.close('}')
}

func (t *ToolChoice) read(d *decoder) {
	if d.peek() == '"' {
		t.Mode = d.string()
		return
	}
	for more := d.begin('{'); more; more = d.more('}') {
		switch d.name() {
		case "function":
			var function Function
			function.read(d)
			t.Function = function.Name
		case "name": // the flat form
			t.Function = d.string()
		default:
			d.skip()
		}
	}
}
