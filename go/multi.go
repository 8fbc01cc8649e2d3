package literllm

import "context"

// A MultiResponse is the result of a fan-out.
type MultiResponse struct {
	// Results are the fastest answers, in the order in which they came.
	Results []*Response `json:"results"`
	// Failures are the errors of targets that failed, and of those cancelled after enough others had
	// answered.
	Failures []*Error `json:"failures"`

	document string
}

// Document is the JSON text as the engine wrote it.
func (m *MultiResponse) Document() JSON { return JSON(m.document) }

// MarshalJSON is the document. A value that was not read from a document gives its fields.
func (m MultiResponse) MarshalJSON() ([]byte, error) {
	if m.document == "" {
		type plain MultiResponse
		return marshal("the responses", plain(m))
	}
	return m.Document().MarshalJSON()
}

// UnmarshalJSON reads a document.
func (m *MultiResponse) UnmarshalJSON(document []byte) error {
	read, err := readMulti(string(document))
	if err == nil {
		*m = *read
	}
	return err
}

// GenerateMulti asks several targets at once and waits for the first fastest answers; 0 is 1. A
// target is "provider/model", or the name of a provider or a route. Calls beyond the fastest are
// cancelled.
//
// A target that fails is no error: it is in Failures. If no target answers, the error is the first
// failure, with the attempts of all.
func (c *Client) GenerateMulti(
	ctx context.Context, request *ChatRequest, targets []string, first int,
) (*MultiResponse, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	body, err := request.encode()
	if err != nil {
		return nil, err
	}
	defer body.release()
	if err := checkWhole(body.out, "GenerateMulti"); err != nil {
		return nil, err
	}
	var options Options
	if request.Options != nil {
		options = *request.Options
	}
	options.Fanout = &Fanout{Targets: targets, First: first}
	answer, err := c.call(ctx, 0, body.out, &options)
	if err != nil {
		return nil, err
	}
	return readMulti(answer)
}

func readMulti(document string) (*MultiResponse, error) {
	d := decoder{text: document}
	m := &MultiResponse{document: document}
	for more := d.begin('{'); more; more = d.more('}') {
		switch d.name() {
		case "results":
			m.Results = list(&d, func(response **Response, d *decoder) {
				read, err := readResponse(string(d.raw()))
				if err != nil {
					d.fail()
				}
				*response = read
			})
		case "failures":
			m.Failures = list(&d, func(failure **Error, d *decoder) { *failure = errorFrom(string(d.raw())) })
		default:
			d.skip()
		}
	}
	if d.failed {
		return nil, newError(ErrInternal, "the engine's responses cannot be read")
	}
	return m, nil
}
