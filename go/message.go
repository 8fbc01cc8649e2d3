package literllm

import "encoding/json"

// A Message is one message of the conversation: of a request, or the model's in a response, which can
// be appended to the next request's as it is.
type Message struct {
	// Role is "system", "developer", "user", "assistant" or "tool".
	Role string `json:"role"`
	// Content is what is said.
	Content string `json:"content"`
	// Parts are what is said, in place of Content: texts, images, audio, files. Both are an error.
	Parts []Part `json:"-"`
	// Name is a name of the speaker.
	Name string `json:"name,omitempty"`
	// ToolCalls are the tools that the assistant calls.
	ToolCalls []ToolCall `json:"tool_calls,omitempty"`
	// ToolCallID is, with the role tool, the call that it answers.
	ToolCallID string `json:"tool_call_id,omitempty"`
	// Refusal is the model's refusal.
	Refusal string `json:"refusal,omitempty"`
	// Reasoning is the reasoning text, where the provider shows one.
	Reasoning string `json:"reasoning,omitempty"`
	// IsError marks a tool's result that reports a failure.
	IsError bool `json:"is_error,omitempty"`
	// ProviderFields are what a provider said that has no place here, as the response gave it.
	ProviderFields JSON `json:"provider_fields,omitempty"`
}

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

// MarshalJSON writes the message.
func (m Message) MarshalJSON() ([]byte, error) {
	e := encoder{}
	m.write(&e)
	return e.out, e.err
}

// UnmarshalJSON reads a message.
func (m *Message) UnmarshalJSON(document []byte) error {
	d := decoder{text: string(document)}
	var read Message
	d.message(&read)
	if d.failed {
		return newError(ErrInvalidRequest, "this is not a message")
	}
	*m = read
	return nil
}

func (m *Message) write(e *encoder) {
	e.open('{')
	e.text("role", m.Role)
	switch {
	case m.Parts != nil && m.Content != "":
		e.both("messages.content", "a message has Content or Parts, not both: Text(…) makes a part of a text")
	case m.Parts != nil:
		e.value("content", m.Parts)
	case m.Content != "" || !m.speaksOtherwise():
		e.text("content", m.Content)
	}
	e.string("name", m.Name)
	if m.ToolCalls != nil {
		e.value("tool_calls", m.ToolCalls)
	}
	e.string("tool_call_id", m.ToolCallID)
	e.string("refusal", m.Refusal)
	e.string("reasoning", m.Reasoning)
	if m.IsError {
		e.boolean("is_error", &m.IsError)
	}
	if m.ProviderFields != "" {
		e.value("provider_fields", m.ProviderFields)
	}
	e.close('}')
}

// speaksOtherwise: only an assistant's message may be without content.
func (m *Message) speaksOtherwise() bool {
	return m.Role == "assistant" && (len(m.ToolCalls) > 0 || m.Refusal != "" || m.Reasoning != "" ||
		m.ProviderFields != "")
}

// A ToolCall is a call of one of the caller's tools.
type ToolCall struct {
	ID string `json:"id"`
	// Type is "function".
	Type     string   `json:"type"`
	Function Function `json:"function"`
}

// A Function is what a tool call calls.
type Function struct {
	Name string `json:"name"`
	// Arguments are JSON text, as the model wrote it.
	Arguments string `json:"arguments"`
}

// A Part is one part of a message. One of the members is set, and more are an error; Type may be left
// out.
type Part struct {
	// Type is "text", "image_url", "input_audio", "file" or "refusal".
	Type       string    `json:"type"`
	Text       string    `json:"text"`
	ImageURL   *ImageURL `json:"image_url"`
	InputAudio *Audio    `json:"input_audio"`
	File       *File     `json:"file"`
	// Refusal is what an assistant refused to say, handed back as part of the history.
	Refusal string `json:"refusal"`
	// CacheControl ends a prefix to cache (Anthropic).
	CacheControl any `json:"cache_control"`
}

// Text is a part of text.
func Text(text string) Part { return Part{Type: "text", Text: text} }

// Image is an image, by an https:// or data: URL.
func Image(url string) Part { return Part{Type: "image_url", ImageURL: &ImageURL{URL: url}} }

// MarshalJSON writes the part.
func (p Part) MarshalJSON() ([]byte, error) {
	e := encoder{}
	things := 0
	for _, is := range []bool{p.Text != "", p.ImageURL != nil, p.InputAudio != nil, p.File != nil, p.Refusal != ""} {
		if is {
			things++
		}
	}
	if things > 1 {
		e.both("messages.content", "a part is a text, an image, a sound, a file or a refusal, not both: make two of it")
		return nil, e.err
	}
	e.open('{')
	switch {
	case p.ImageURL != nil:
		e.text("type", "image_url")
		e.value("image_url", p.ImageURL)
	case p.InputAudio != nil:
		e.text("type", "input_audio")
		e.value("input_audio", p.InputAudio)
	case p.File != nil:
		e.text("type", "file")
		e.value("file", p.File)
	case p.Refusal != "" || p.Type == "refusal":
		e.text("type", "refusal")
		e.text("refusal", p.Refusal)
	case p.Type != "" && p.Type != "text":
		e.text("type", p.Type)
	default:
		e.text("type", "text")
		e.text("text", p.Text)
	}
	e.value("cache_control", p.CacheControl)
	e.close('}')
	return e.out, e.err
}

// An ImageURL is an https:// or data: URL.
type ImageURL struct {
	URL string `json:"url"`
	// Detail is "low", "high" or "auto".
	Detail string `json:"detail,omitempty"`
}

// UnmarshalJSON reads both of its forms: the URL, or an object.
func (i *ImageURL) UnmarshalJSON(document []byte) error {
	*i = ImageURL{}
	if len(document) > 0 && document[0] == '"' {
		return json.Unmarshal(document, &i.URL)
	}
	type plain ImageURL
	return json.Unmarshal(document, (*plain)(i))
}

// Audio is sound.
type Audio struct {
	// Data is base64.
	Data string `json:"data"`
	// Format is "wav" or "mp3".
	Format string `json:"format"`
}

// A File is one by content (a data: URL) or by the provider's id.
type File struct {
	FileData string `json:"file_data,omitempty"`
	FileID   string `json:"file_id,omitempty"`
	Filename string `json:"filename,omitempty"`
}
