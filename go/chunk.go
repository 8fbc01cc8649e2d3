package literllm

import "strings"

// Document is the chunk as the engine wrote it: JSON text with every member. The last chunk, which
// has the Response, has no Document.
func (c Chunk) Document() JSON { return JSON(c.document) }

// MarshalJSON is the document. A chunk that was not read from a document gives its fields, and the
// last chunk gives its Response.
func (c Chunk) MarshalJSON() ([]byte, error) {
	switch {
	case c.Response != nil:
		return c.Response.MarshalJSON()
	case c.document == "":
		type plain Chunk
		return marshal("the chunk", plain(c))
	}
	return c.Document().MarshalJSON()
}

// UnmarshalJSON reads a document.
func (c *Chunk) UnmarshalJSON(document []byte) error {
	read, err := readChunk(string(document))
	if err == nil {
		*c = read
	}
	return err
}

func readChunk(document string) (Chunk, error) {
	d := decoder{text: document}
	c := Chunk{document: document}
	c.read(&d)
	if strings.HasSuffix(c.Object, ".reset") {
		var reset resetDocument
		d = decoder{text: document}
		reset.read(&d)
		c.Reset = reset.Reason
	}
	if d.failed {
		return Chunk{}, newError(ErrInternal, "the engine's chunk cannot be read from byte %d on", d.fault)
	}
	for i := range c.Choices { // where several are asked for, each comes in chunks of its own
		if c.Choices[i].Index == 0 {
			c.Text = c.Choices[i].Delta.Content
			break
		}
	}
	return c, nil
}
