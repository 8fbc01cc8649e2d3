package literllm

// Readers of the engine's documents. Members that are not listed are skipped: they stay in the
// document.

func readResponse(document string) (*Response, error) {
	d := decoder{text: document}
	r := &Response{document: document}
	d.object(func(name string) {
		switch name {
		case "id":
			r.ID = d.string()
		case "object":
			r.Object = d.string()
		case "created":
			r.Created = d.integer()
		case "model":
			r.Model = d.string()
		case "choices":
			r.Choices = make([]Choice, 0, 1)
			d.array(func() { r.Choices = append(r.Choices, d.choice()) })
		case "usage":
			r.Usage = d.usage()
		case "text":
			r.Text = d.string()
		case "provider":
			r.Provider = d.string()
		case "warnings":
			d.array(func() { r.Warnings = append(r.Warnings, d.warning()) })
		case "liter":
			d.liter(&r.Liter)
		default:
			d.skip()
		}
	})
	if d.failed {
		return nil, newError(ErrInternal, "the engine's response cannot be read")
	}
	return r, nil
}

func readChunk(document string) (Chunk, error) {
	d := decoder{text: document}
	c := Chunk{document: document}
	d.object(func(name string) {
		switch name {
		case "id":
			c.ID = d.string()
		case "object":
			c.Object = d.string()
		case "created":
			c.Created = d.integer()
		case "model":
			c.Model = d.string()
		case "choices":
			c.Choices = make([]ChunkChoice, 0, 1)
			d.array(func() { c.Choices = append(c.Choices, d.chunkChoice()) })
		case "usage":
			c.Usage = d.usage()
		case "reason":
			c.Reset = Kind(d.string())
		default:
			d.skip()
		}
	})
	if d.failed {
		return Chunk{}, newError(ErrInternal, "the engine's chunk cannot be read")
	}
	for i := range c.Choices { // where several are asked for, each comes in chunks of its own
		if c.Choices[i].Index == 0 {
			c.Text = c.Choices[i].Delta.Content
			break
		}
	}
	return c, nil
}

func (d *decoder) choice() (c Choice) {
	d.object(func(name string) {
		switch name {
		case "index":
			c.Index = int(d.integer())
		case "message":
			d.message(&c.Message)
		case "finish_reason":
			c.FinishReason = FinishReason(d.string())
		case "logprobs":
			c.Logprobs = d.raw()
		case "provider_fields":
			c.ProviderFields = d.raw()
		default:
			d.skip()
		}
	})
	return c
}

func (d *decoder) message(m *Message) {
	d.object(func(name string) {
		switch name {
		case "role":
			m.Role = d.string()
		case "content":
			if d.peek() == '[' {
				d.array(func() { m.Parts = append(m.Parts, d.part()) })
			} else {
				m.Content = d.string()
			}
		case "name":
			m.Name = d.string()
		case "tool_calls":
			d.array(func() { m.ToolCalls = append(m.ToolCalls, d.toolCall()) })
		case "tool_call_id":
			m.ToolCallID = d.string()
		case "refusal":
			m.Refusal = d.string()
		case "reasoning", "reasoning_content":
			m.Reasoning = d.string()
		case "is_error":
			m.IsError = d.boolean()
		case "provider_fields":
			m.ProviderFields = d.raw()
		default:
			d.skip()
		}
	})
}

func (d *decoder) part() (p Part) {
	if err := d.raw().Decode(&p); err != nil {
		d.fail()
	}
	return p
}

func (d *decoder) toolCall() (t ToolCall) {
	d.object(func(name string) {
		switch name {
		case "id":
			t.ID = d.string()
		case "type":
			t.Type = d.string()
		case "function":
			t.Function = d.function()
		default:
			d.skip()
		}
	})
	return t
}

func (d *decoder) function() (f Function) {
	d.object(func(name string) {
		switch name {
		case "name":
			f.Name = d.string()
		case "arguments":
			f.Arguments = d.string()
		default:
			d.skip()
		}
	})
	return f
}

func (d *decoder) chunkChoice() (c ChunkChoice) {
	d.object(func(name string) {
		switch name {
		case "index":
			c.Index = int(d.integer())
		case "delta":
			d.delta(&c.Delta)
		case "finish_reason":
			c.FinishReason = FinishReason(d.string())
		default:
			d.skip()
		}
	})
	return c
}

func (d *decoder) delta(delta *Delta) {
	d.object(func(name string) {
		switch name {
		case "role":
			delta.Role = d.string()
		case "content":
			delta.Content = d.string()
		case "reasoning":
			delta.Reasoning = d.string()
		case "refusal":
			delta.Refusal = d.string()
		case "tool_calls":
			d.array(func() { delta.ToolCalls = append(delta.ToolCalls, d.toolCallDelta()) })
		case "provider_fields":
			delta.ProviderFields = d.raw()
		default:
			d.skip()
		}
	})
}

func (d *decoder) toolCallDelta() (t ToolCallDelta) {
	d.object(func(name string) {
		switch name {
		case "index":
			t.Index = int(d.integer())
		case "id":
			t.ID = d.string()
		case "type":
			t.Type = d.string()
		case "function":
			t.Function = d.function()
		default:
			d.skip()
		}
	})
	return t
}

// counts is a Usage with all that it points at, in one piece of memory.
type counts struct {
	usage      Usage
	prompt     PromptDetails
	completion CompletionDetails
	numbers    [10]int64
	used       int
}

// count reads a number that may be absent: null is nil.
func (c *counts) count(d *decoder) *int64 {
	if d.null() {
		return nil
	}
	value := d.integer()
	if c.used == len(c.numbers) { // a member stands twice
		return &value
	}
	number := &c.numbers[c.used]
	c.used++
	*number = value
	return number
}

func (d *decoder) usage() *Usage {
	if d.null() {
		return nil
	}
	c := new(counts)
	u := &c.usage
	d.object(func(name string) {
		switch name {
		case "prompt_tokens":
			u.PromptTokens = c.count(d)
		case "completion_tokens":
			u.CompletionTokens = c.count(d)
		case "total_tokens":
			u.TotalTokens = c.count(d)
		case "prompt_tokens_details":
			u.PromptTokensDetails = d.promptDetails(c)
		case "completion_tokens_details":
			u.CompletionTokensDetails = d.completionDetails(c)
		default:
			d.skip()
		}
	})
	return u
}

func (d *decoder) promptDetails(c *counts) *PromptDetails {
	if d.null() {
		return nil
	}
	p := &c.prompt
	d.object(func(name string) {
		switch name {
		case "cached_tokens":
			p.CachedTokens = c.count(d)
		case "cache_write_tokens":
			p.CacheWriteTokens = c.count(d)
		case "audio_tokens":
			p.AudioTokens = c.count(d)
		default:
			d.skip()
		}
	})
	return p
}

func (d *decoder) completionDetails(c *counts) *CompletionDetails {
	if d.null() {
		return nil
	}
	p := &c.completion
	d.object(func(name string) {
		switch name {
		case "reasoning_tokens":
			p.ReasoningTokens = c.count(d)
		case "audio_tokens":
			p.AudioTokens = c.count(d)
		case "accepted_prediction_tokens":
			p.AcceptedPredictionTokens = c.count(d)
		case "rejected_prediction_tokens":
			p.RejectedPredictionTokens = c.count(d)
		default:
			d.skip()
		}
	})
	return p
}

func (d *decoder) warning() (w Warning) {
	d.object(func(name string) {
		switch name {
		case "code":
			w.Code = d.string()
		case "message":
			w.Message = d.string()
		case "param":
			w.Param = d.string()
		default:
			d.skip()
		}
	})
	return w
}

func (d *decoder) liter(l *Liter) {
	d.object(func(name string) {
		switch name {
		case "v":
			l.V = int(d.integer())
		case "request_id":
			l.RequestID = d.string()
		case "provider_request_id":
			l.ProviderRequestID = d.string()
		case "finish_reason_raw":
			l.FinishReasonRaw = d.string()
		case "usage_raw":
			l.UsageRaw = d.raw()
		case "attempts":
			l.Attempts = make([]Attempt, 0, 1)
			d.array(func() { l.Attempts = append(l.Attempts, d.attempt()) })
		case "timing":
			d.timing(&l.Timing)
		case "ratelimit":
			l.RateLimit = d.raw()
		case "provider_fields":
			l.ProviderFields = d.raw()
		default:
			d.skip()
		}
	})
}

func (d *decoder) attempt() (a Attempt) {
	d.object(func(name string) {
		switch name {
		case "target":
			a.Target = d.string()
		case "status":
			a.Status = int(d.integer())
		case "kind":
			a.Kind = Kind(d.string())
		case "ms":
			a.MS = d.integer()
		case "hedge":
			a.Hedge = d.boolean()
		case "may_be_billed":
			a.MayBeBilled = d.boolean()
		default:
			d.skip()
		}
	})
	return a
}

func (d *decoder) timing(t *Timing) {
	d.object(func(name string) {
		switch name {
		case "queue_ms":
			t.QueueMS = d.float()
		case "ttft_ms":
			t.TTFTMS = d.float()
		case "total_ms":
			t.TotalMS = d.float()
		default:
			d.skip()
		}
	})
}
