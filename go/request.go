package literllm

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Ptr points at a value: literllm.Ptr(0.2).
func Ptr[T any](value T) *T { return &value }

// A ChatRequest says what is asked: OpenAI's chat request, with a few members of our own. Give Prompt
// or Messages. Zero values are left out of the request.
type ChatRequest struct {
	// Prompt is the short form of one user message.
	Prompt string `json:"prompt"`
	// Messages are the conversation.
	Messages []Message `json:"messages"`
	// Model is the provider's model id, or "provider/model"; "": the configuration's default.
	Model string `json:"model"`
	// MaxTokens are the most tokens of the answer.
	MaxTokens int `json:"max_tokens"`
	// Temperature and TopP control the sampling.
	Temperature *float64 `json:"temperature"`
	TopP        *float64 `json:"top_p"`
	// Stop are texts that end the answer.
	Stop []string `json:"stop"`
	Seed *int64   `json:"seed"`
	// N is how many choices are wanted.
	N                int      `json:"n"`
	PresencePenalty  *float64 `json:"presence_penalty"`
	FrequencyPenalty *float64 `json:"frequency_penalty"`
	// Tools are those that the model may call.
	Tools []Tool `json:"tools"`
	// ToolChoice says which tool the model must call.
	ToolChoice        *ToolChoice `json:"tool_choice"`
	ParallelToolCalls *bool       `json:"parallel_tool_calls"`
	// ResponseFormat is the form of the answer.
	ResponseFormat *ResponseFormat `json:"response_format"`
	// Reasoning says how much the model thinks before it answers.
	Reasoning *Reasoning `json:"reasoning"`
	// Metadata are labels that the provider stores with the request.
	Metadata map[string]any `json:"metadata"`
	// User is an id of the end user, for the provider's abuse checks.
	User string `json:"user"`
	// Extra has members for one provider's body only, by the provider's name.
	Extra map[string]map[string]any `json:"extra"`

	// Options say how and where it is done; they win over the client's, member by member.
	Options *Options `json:"options"`

	// Members are further members of the request, written as encoding/json does.
	Members map[string]any `json:"-"`
	// Raw is the whole request as JSON, sent on as it is. Any other field beside it, but Options, is an
	// error.
	Raw json.RawMessage `json:"-"`
}

// MarshalJSON writes the request document, with its options.
func (r ChatRequest) MarshalJSON() ([]byte, error) {
	e := encoder{}
	if r.Raw != nil {
		return r.rawWithOptions(&e)
	}
	r.write(&e)
	if r.Options != nil && e.err == nil {
		e.out = e.out[:len(e.out)-1]
		if e.out[len(e.out)-1] != '{' {
			e.comma()
		}
		e.value("options", r.Options)
		e.close('}')
	}
	return e.out, e.err
}

// encode writes the request without its options. The encoder is to be released.
func (r *ChatRequest) encode() (*encoder, error) {
	if r == nil {
		return nil, newError(ErrInvalidRequest, "the request is nil")
	}
	if r.Raw != nil {
		e := &encoder{out: r.Raw}
		r.onlyRaw(e)
		return e, e.err
	}
	e := encoders.Get().(*encoder)
	r.write(e)
	return e, e.err
}

// onlyRaw: what would be passed over is an error.
func (r *ChatRequest) onlyRaw(e *encoder) {
	others := *r
	others.Raw, others.Options = nil, nil
	if !reflect.ValueOf(others).IsZero() {
		e.both("", "a request is given as Raw or in the other fields, not both: put all of it into Raw")
	}
}

// rawWithOptions is the request that is given as JSON, and the options beside it inside.
func (r *ChatRequest) rawWithOptions(e *encoder) ([]byte, error) {
	r.onlyRaw(e)
	body := bytes.TrimSpace(r.Raw)
	if r.Options == nil || e.err != nil || !json.Valid(body) || body[0] != '{' {
		return r.Raw, e.err
	}
	e.open('{')
	e.inner(JSON(body))
	e.name("options") // the last of members with one name counts
	e.open('{')
	e.inner(optionsInside(body))
	r.Options.write(e)
	e.close('}')
	e.close('}')
	return e.out, e.err
}

func (r *ChatRequest) write(e *encoder) {
	e.open('{')
	e.string("model", r.Model)
	e.string("prompt", r.Prompt)
	if r.Messages != nil {
		e.name("messages")
		e.open('[')
		for i := range r.Messages {
			r.Messages[i].write(e)
			e.comma()
		}
		e.close(']')
		e.comma()
	}
	e.integer("max_tokens", int64(r.MaxTokens))
	e.float("temperature", r.Temperature)
	e.float("top_p", r.TopP)
	if r.Stop != nil {
		e.value("stop", r.Stop)
	}
	if r.Seed != nil {
		e.name("seed")
		e.out = strconv.AppendInt(e.out, *r.Seed, 10)
		e.comma()
	}
	e.integer("n", int64(r.N))
	e.float("presence_penalty", r.PresencePenalty)
	e.float("frequency_penalty", r.FrequencyPenalty)
	if r.Tools != nil {
		e.value("tools", r.Tools)
	}
	if r.ToolChoice != nil {
		e.value("tool_choice", r.ToolChoice)
	}
	e.boolean("parallel_tool_calls", r.ParallelToolCalls)
	if r.ResponseFormat != nil {
		e.value("response_format", r.ResponseFormat)
	}
	if r.Reasoning != nil {
		e.value("reasoning", r.Reasoning)
	}
	if r.Metadata != nil {
		e.value("metadata", r.Metadata)
	}
	e.string("user", r.User)
	if r.Extra != nil {
		e.value("extra", r.Extra)
	}
	e.members(r.Members)
	e.close('}')
}

// optionsInside are the options that a request's own document has, or "". What is no object is left to
// the engine, which refuses it.
func optionsInside(request []byte) (inside JSON) {
	if !bytes.Contains(request, []byte(`"options"`)) {
		return ""
	}
	d := decoder{text: text(request)}
	d.object(func(name string) {
		if name == "options" {
			inside = d.raw()
		} else {
			d.skip()
		}
	})
	if d.failed || d.peek() != 0 || !strings.HasPrefix(string(inside), "{") || !json.Valid([]byte(inside)) {
		return ""
	}
	return inside
}

// Options say how and where a request is done; they are never part of what is asked. Zero values are
// left to the options in the request's own document (Raw), those to the client's, and those to the
// configuration.
type Options struct {
	// Provider is the provider's name in the configuration; "": by the model, or the default.
	Provider string `json:"provider"`
	// Timeout is the whole call's time, in place of the configuration's. A context's deadline does the
	// same; of the two the earlier one counts.
	Timeout time.Duration `json:"timeout_ms"`
	// Idle is the longest silence inside a stream.
	Idle time.Duration `json:"idle_ms"`
	// MergeDeltas joins text deltas that arrive in one read of the socket.
	MergeDeltas *bool `json:"merge_deltas"`
	// Unsupported says what happens to a parameter that the provider cannot take: "warn" or "error".
	Unsupported string `json:"unsupported"`
	// Strict makes unknown members of a request an error, not a warning.
	Strict *bool `json:"strict"`
	// Retry says how a failed attempt is repeated; &Retry{Off: true}: not at all.
	Retry *Retry `json:"retry"`
	// Fallback are further targets for when the first fails: "provider/model", or a provider's name.
	Fallback []string `json:"fallback"`
	// Fanout asks several targets at once. GenerateMulti sets it; Stream gives the first to begin.
	Fanout *Fanout `json:"fanout"`
	// Hedge says when further attempts start beside a slow first one.
	Hedge *Hedge `json:"hedge"`
	// Limit says whether the call waits for limits.
	Limit *Limit `json:"limit"`
	// Region: only targets of this region.
	Region string `json:"region"`
	// StickyKey: calls with the same key keep to the same target of a "weighted" route.
	StickyKey string `json:"sticky_key"`
	// IdempotencyKey is the same for every attempt, for providers that count a repeated request once.
	IdempotencyKey string `json:"idempotency_key"`
	// OnBreak says what happens to a stream that breaks: "error" ("" too), or "restart": a chunk with
	// Reset comes, and the answer begins anew.
	OnBreak string `json:"on_break"`

	// Extra are further options, written as encoding/json does. One that the engine does not have is
	// an error of kind unsupported.
	Extra map[string]any `json:"-"`
}

// MarshalJSON writes the options document.
func (o Options) MarshalJSON() ([]byte, error) {
	e := encoder{}
	e.open('{')
	o.write(&e)
	e.close('}')
	return e.out, e.err
}

func (o *Options) write(e *encoder) {
	e.string("provider", o.Provider)
	e.duration("timeout_ms", o.Timeout)
	e.duration("idle_ms", o.Idle)
	e.boolean("merge_deltas", o.MergeDeltas)
	e.string("unsupported", o.Unsupported)
	e.boolean("strict", o.Strict)
	if o.Retry != nil {
		e.value("retry", o.Retry)
	}
	if o.Fallback != nil {
		e.value("fallback", o.Fallback)
	}
	if o.Fanout != nil {
		e.value("fanout", o.Fanout)
	}
	if o.Hedge != nil {
		e.value("hedge", o.Hedge)
	}
	if o.Limit != nil {
		e.value("limit", o.Limit)
	}
	e.string("region", o.Region)
	e.string("sticky_key", o.StickyKey)
	e.string("idempotency_key", o.IdempotencyKey)
	e.string("on_break", o.OnBreak)
	e.members(o.Extra)
}

// A Tool is a function that the model may call, or one of the provider's own tools.
type Tool struct {
	// Type is "function" ("" says so too), or the type of a provider's own tool.
	Type string `json:"type"`
	// Function is the function.
	Function *FunctionSpec `json:"function,omitempty"`
	// CacheControl ends a prefix to cache (Anthropic).
	CacheControl any `json:"cache_control,omitempty"`
	// Members are those of a provider's own tool.
	Members map[string]any `json:"-"`
}

// MarshalJSON writes the tool.
func (t Tool) MarshalJSON() ([]byte, error) {
	e := encoder{}
	e.open('{')
	if t.Type == "" {
		t.Type = "function"
	}
	e.text("type", t.Type)
	if t.Function != nil {
		e.value("function", t.Function)
	}
	e.value("cache_control", t.CacheControl)
	e.members(t.Members)
	e.close('}')
	return e.out, e.err
}

// A FunctionSpec is a function that is offered to the model.
type FunctionSpec struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Parameters are a JSON Schema: a map, a struct, or a json.RawMessage.
	Parameters any `json:"parameters,omitempty"`
	// Strict: whether arguments must match the schema exactly.
	Strict *bool `json:"strict,omitempty"`
}

// A ToolChoice is a word or a function's name.
type ToolChoice struct {
	// Mode is "auto", "none", "required" or "any".
	Mode string
	// Function is the one that must be called.
	Function string
}

// MarshalJSON writes the choice.
func (t ToolChoice) MarshalJSON() ([]byte, error) {
	if t.Function == "" {
		return marshal("tool_choice", t.Mode)
	}
	function := map[string]string{"name": t.Function}
	return marshal("tool_choice", map[string]any{"type": "function", "function": function})
}

// A ResponseFormat is the form of the answer.
type ResponseFormat struct {
	// Type is "text", "json_object" or "json_schema".
	Type string `json:"type"`
	// JSONSchema is the schema, with the type json_schema.
	JSONSchema *JSONSchema `json:"json_schema,omitempty"`
}

// A JSONSchema is a schema and its name.
type JSONSchema struct {
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	// Schema is a JSON Schema: a map, a struct, or a json.RawMessage.
	Schema any `json:"schema"`
	// Strict: whether the answer must match exactly.
	Strict *bool `json:"strict,omitempty"`
}

// Reasoning says how much the model thinks: a word that the provider knows, or a number of tokens.
type Reasoning struct {
	Effort       string `json:"effort,omitempty"`
	BudgetTokens *int   `json:"budget_tokens,omitempty"`
}
