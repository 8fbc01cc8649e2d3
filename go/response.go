package literllm

// A Response is a chat completion in OpenAI's shape.
//
// Beside OpenAI's members: Text, the first choice's text; Provider, who served it; Warnings, what was
// left out or changed; Liter, request ids, attempts and timing. What the provider did not say is
// absent (nil, "", 0 where that cannot be meant). [Response.Document] has every member.
type Response struct {
	// ID is the provider's id of the answer.
	ID string `json:"id"`
	// Object is "chat.completion".
	Object string `json:"object"`
	// Created is in seconds since 1970; 0: unknown.
	Created int64 `json:"created"`
	// Model is the model, as the provider names it.
	Model string `json:"model"`
	// Choices are the answers.
	Choices []Choice `json:"choices"`
	// Usage is what the provider says was used, or nil.
	Usage *Usage `json:"usage"`
	// Text is the first choice's text.
	Text string `json:"text"`
	// Provider is the provider's name in the configuration.
	Provider string `json:"provider"`
	// Warnings say what was left out or changed on the way.
	Warnings []Warning `json:"warnings"`
	// Liter is everything volatile or of the engine's own.
	Liter Liter `json:"liter"`

	document string
}

// Document is the response as the engine wrote it: JSON text with every member.
func (r *Response) Document() JSON { return JSON(r.document) }

// MarshalJSON is the document; of a response that was not read from one, its fields.
func (r Response) MarshalJSON() ([]byte, error) {
	if r.document == "" {
		type plain Response
		return marshal("the response", plain(r))
	}
	return r.Document().MarshalJSON()
}

// UnmarshalJSON reads a document.
func (r *Response) UnmarshalJSON(document []byte) error {
	read, err := readResponse(string(document))
	if err == nil {
		*r = *read
	}
	return err
}

// A Choice is one answer.
type Choice struct {
	Index   int     `json:"index"`
	Message Message `json:"message"`
	// FinishReason says why it ended; "" where the provider did not say.
	FinishReason FinishReason `json:"finish_reason"`
	// Logprobs are OpenAI's log probabilities, as they came.
	Logprobs JSON `json:"logprobs,omitempty"`
	// ProviderFields are members of the provider's choice that have no place here.
	ProviderFields JSON `json:"provider_fields,omitempty"`
}

// A FinishReason says why an answer ended. The provider's own word is in Liter.FinishReasonRaw.
type FinishReason string

// The reasons.
const (
	// Stop: the model was done, or a stop text came.
	Stop FinishReason = "stop"
	// Length: the token limit or the context was reached.
	Length FinishReason = "length"
	// ToolCalls: the model calls tools.
	ToolCalls FinishReason = "tool_calls"
	// ContentFilter: a filter or the model refused.
	ContentFilter FinishReason = "content_filter"
)

// Usage has token counts. What the provider did not say is nil, never 0; its own object is in
// Liter.UsageRaw.
type Usage struct {
	PromptTokens            *int64             `json:"prompt_tokens,omitempty"`
	CompletionTokens        *int64             `json:"completion_tokens,omitempty"`
	TotalTokens             *int64             `json:"total_tokens,omitempty"`
	PromptTokensDetails     *PromptDetails     `json:"prompt_tokens_details,omitempty"`
	CompletionTokensDetails *CompletionDetails `json:"completion_tokens_details,omitempty"`
}

// PromptDetails are parts of PromptTokens.
type PromptDetails struct {
	CachedTokens     *int64 `json:"cached_tokens,omitempty"`
	CacheWriteTokens *int64 `json:"cache_write_tokens,omitempty"`
	AudioTokens      *int64 `json:"audio_tokens,omitempty"`
}

// CompletionDetails are parts of CompletionTokens.
type CompletionDetails struct {
	ReasoningTokens          *int64 `json:"reasoning_tokens,omitempty"`
	AudioTokens              *int64 `json:"audio_tokens,omitempty"`
	AcceptedPredictionTokens *int64 `json:"accepted_prediction_tokens,omitempty"`
	RejectedPredictionTokens *int64 `json:"rejected_prediction_tokens,omitempty"`
}

// A Warning is something that was left out or changed on the way.
type Warning struct {
	// Code is for programs: "unsupported_parameter", "unknown_parameter".
	Code string `json:"code"`
	// Message is a sentence for people.
	Message string `json:"message"`
	// Param is the member of the request that it is about.
	Param string `json:"param,omitempty"`
}

// Liter is everything volatile or of the engine's own.
type Liter struct {
	// V is the version of this object: 1.
	V int `json:"v"`
	// RequestID is our id of the call.
	RequestID string `json:"request_id"`
	// ProviderRequestID is the provider's id of the request, for its support.
	ProviderRequestID string `json:"provider_request_id,omitempty"`
	// FinishReasonRaw is the first choice's finish reason in the provider's own word.
	FinishReasonRaw string `json:"finish_reason_raw,omitempty"`
	// UsageRaw is the provider's usage object, as it came.
	UsageRaw JSON `json:"usage_raw,omitempty"`
	// Attempts has one entry for each attempt that was made.
	Attempts []Attempt `json:"attempts"`
	// Timing says how long it took.
	Timing Timing `json:"timing"`
	// RateLimit has the provider's rate limit headers, as they came.
	RateLimit JSON `json:"ratelimit,omitempty"`
	// ProviderFields are members of the provider's answer that have no place here.
	ProviderFields JSON `json:"provider_fields,omitempty"`
}

// An Attempt is one attempt at a target.
type Attempt struct {
	// Target is "provider/model".
	Target string `json:"target"`
	// Status is the HTTP status; 0 where no answer came.
	Status int `json:"status,omitempty"`
	// Kind is the kind of failure; "" where the attempt succeeded.
	Kind Kind `json:"kind,omitempty"`
	// MS is how long it took, in milliseconds.
	MS int64 `json:"ms"`
	// Hedge: it ran beside another one that was slow.
	Hedge bool `json:"hedge,omitempty"`
	// MayBeBilled: it failed, but the provider may have done the work.
	MayBeBilled bool `json:"may_be_billed,omitempty"`
}

// Timing is in milliseconds.
type Timing struct {
	// QueueMS: until the request was sent.
	QueueMS float64 `json:"queue_ms"`
	// TTFTMS: until the first content of a stream; 0 where it was none.
	TTFTMS float64 `json:"ttft_ms,omitempty"`
	// TotalMS: until the end.
	TotalMS float64 `json:"total_ms"`
}

// A Chunk is a part of a stream, in the shape of OpenAI's chat.completion.chunk.
type Chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []ChunkChoice `json:"choices"`
	// Usage is in the chunk in which the provider says it.
	Usage *Usage `json:"usage"`

	// Text is the first choice's new text; "" where the chunk has none.
	Text string `json:"-"`
	// Reset, where it is not "", says how the answer broke. It begins anew: all chunks so far are void,
	// and this one has nothing else. Only with Options.OnBreak "restart".
	Reset Kind `json:"-"`
	// Response is the whole answer, put together: in the last chunk of a stream, which has nothing
	// else. Else nil.
	Response *Response `json:"-"`

	document string
}

// Document is the chunk as the engine wrote it: JSON text with every member. The last chunk, which
// has the Response, has none.
func (c Chunk) Document() JSON { return JSON(c.document) }

// MarshalJSON is the document; of a chunk that was not read from one, its fields. The last chunk is
// its Response.
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

// A ChunkChoice is what is new in one choice.
type ChunkChoice struct {
	Index        int          `json:"index"`
	Delta        Delta        `json:"delta"`
	FinishReason FinishReason `json:"finish_reason"`
}

// A Delta is what is new in a message; each text is to be appended.
type Delta struct {
	Role           string          `json:"role,omitempty"`
	Content        string          `json:"content,omitempty"`
	Reasoning      string          `json:"reasoning,omitempty"`
	Refusal        string          `json:"refusal,omitempty"`
	ToolCalls      []ToolCallDelta `json:"tool_calls,omitempty"`
	ProviderFields JSON            `json:"provider_fields,omitempty"`
}

// A ToolCallDelta is a part of a tool call: id and name come once, arguments are to be appended.
type ToolCallDelta struct {
	Index    int      `json:"index"`
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"`
	Function Function `json:"function"`
}
