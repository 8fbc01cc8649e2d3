// Package literllm talks to language models of any provider through one engine.
//
//	client, err := literllm.NewClient()
//	response, err := client.Chat(ctx, &literllm.ChatRequest{Model: "openai/gpt-4.1-mini", Prompt: "Hello"})
//	fmt.Println(response.Text)
//
// A client holds connections and limits. Make few, keep them long, and use one from any number of
// goroutines. Without a configuration it takes the environment's (LITER_LLM_CONFIG,
// LITER_LLM_PROVIDER, LITER_LLM_MODEL, OPENAI_API_KEY …). Failures are an [*Error].
//
// The context of a call ends the request itself: its connection is closed. Requests in flight are
// not threads, so ten thousand of them wait on one goroutine.
package literllm

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/liter-llm/liter-llm/go/internal/native"
)

// A Client has providers, connection pools and limits.
type Client struct {
	native   *native.Client
	defaults Options
	inline   int64
	plain    []byte // the options of a request that has none and no deadline
	logs     []*logReader
	observer Observer // nil: nobody looks
}

// NewClient makes a client from the environment or from the options.
func NewClient(options ...Option) (*Client, error) {
	if version := native.LibraryABIVersion(); version != native.ABIVersion {
		return nil, newError(ErrInternal, "the liter_llm library that is linked (%s) has ABI version %d, "+
			"this package needs %d: install matching versions", native.Version(), version, native.ABIVersion)
	}
	made, err := settingsOf(options)
	if err != nil {
		return nil, err
	}
	c := &Client{defaults: made.options, inline: made.inline, observer: made.observer}
	if c.plain, err = c.merge("", nil, 0); err != nil {
		return nil, err
	}
	variables := environment()
	config, err := made.document(variables)
	if err != nil {
		return nil, err
	}
	around, err := json.Marshal(variables) // whose values need not be UTF-8
	if err != nil {
		return nil, err
	}
	handle, status, failure := native.NewClient(config, around)
	if failure != "" {
		return nil, errorFrom(failure)
	}
	if status != native.OK {
		return nil, misuse(status)
	}
	c.native = handle
	if err := c.startLogs(made.logger, variables); err != nil {
		return nil, err
	}
	return c, nil
}

// startLogs begins to log where the program or the environment asks for it.
func (c *Client) startLogs(logger *slog.Logger, variables map[string]string) error {
	start := func(logger *slog.Logger, direct bool) error {
		made, err := startLogs(c.native, logger, direct)
		if err == nil {
			c.logs = append(c.logs, made)
		}
		return err
	}
	if level, asked := stderrLevel(variables); asked {
		if err := start(stderrLogger(level), true); err != nil {
			return err
		}
	}
	if logger == nil {
		return nil
	}
	return start(logger, false)
}

// usable is an error for a client that NewClient did not make, and for a nil context.
func (c *Client) usable(ctx context.Context) error {
	if c == nil || c.native == nil {
		return errNoClient()
	}
	if ctx == nil {
		return newError(ErrInvalidRequest, "the context is nil: pass context.Background()")
	}
	return nil
}

func errNoClient() *Error {
	return newError(ErrInvalidRequest, "this client is nil or was not made by NewClient")
}

// Chat asks and waits for the whole answer. A request that asks for a stream is an error.
func (c *Client) Chat(ctx context.Context, request *ChatRequest) (*Response, error) {
	return ask(ctx, c, request, readResponse)
}

// Embed turns texts into vectors, one for each input. A list that is longer than the provider takes
// goes out in several requests at once, and comes back as one answer. If one of them fails, the
// error's Partial says which inputs were done.
func (c *Client) Embed(ctx context.Context, request *EmbedRequest) (*EmbedResponse, error) {
	return ask(ctx, c, request, readEmbedResponse)
}

// Models lists the models of a provider: all of them, or the one that the request names.
func (c *Client) Models(ctx context.Context, request *ModelsRequest) (*ModelsResponse, error) {
	return ask(ctx, c, request, readModelsResponse)
}

// Rerank orders documents by how well they answer a query, the best one first.
func (c *Client) Rerank(ctx context.Context, request *RerankRequest) (*RerankResponse, error) {
	return ask(ctx, c, request, readRerankResponse)
}

// CountTokens counts the tokens that a chat with this request would read. The provider counts them:
// Anthropic, OpenAI, Gemini, Vertex, Bedrock, and Cohere for a text. Elsewhere it is an
// [ErrUnsupported], never an estimate.
func (c *Client) CountTokens(ctx context.Context, request *ChatRequest) (*CountTokensResponse, error) {
	return ask(ctx, c, counted{request}, readCountTokensResponse)
}

// Moderate checks whether texts or images break a provider's rules. Each input gets a verdict.
func (c *Client) Moderate(ctx context.Context, request *ModerateRequest) (*ModerateResponse, error) {
	return ask(ctx, c, request, readModerateResponse)
}

// PurgeCache forgets the stored answers of a tenant: from now on nobody gets one of them. The tenant is
// what calls give as [Options.Tenant]; "" is that of calls without one. A client without a cache
// answers [ErrUnsupported].
func (c *Client) PurgeCache(ctx context.Context, tenant string) (*CachePurged, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	e := encoders.Get().(*encoder)
	defer e.release()
	e.open('{')
	e.text("op", "cache_purge")
	e.text("tenant", tenant)
	e.close('}')
	if e.err != nil {
		return nil, e.err
	}
	answer, err := c.send(ctx, native.Single, e.out, nil) // no provider is asked
	if err != nil {
		return nil, err
	}
	return readCachePurged(answer)
}

// Budget reads what was spent of a budget of the configuration. The value is that of the budget's per;
// "" is that of calls without one. A name of no budget answers [ErrNotFound].
func (c *Client) Budget(ctx context.Context, name, value string) (*BudgetState, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	e := encoders.Get().(*encoder)
	defer e.release()
	e.open('{')
	e.text("op", "budget")
	e.text("name", name)
	e.text("value", value)
	e.close('}')
	if e.err != nil {
		return nil, e.err
	}
	answer, err := c.send(ctx, native.Single, e.out, nil) // no provider is asked
	if err != nil {
		return nil, err
	}
	return readBudgetState(answer)
}

// ask sends a request and waits for its one answer.
func ask[T any](
	ctx context.Context, c *Client, request request, read func(string) (*T, error),
) (*T, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	body, err := request.encode()
	if err != nil {
		return nil, err
	}
	defer body.release()
	if _, chat := request.(*ChatRequest); chat {
		if err := checkWhole(body.out, "Chat"); err != nil {
			return nil, err
		}
	}
	_, _, options := request.beside()
	answer, err := c.call(ctx, native.Single, body.out, options)
	if err != nil {
		return nil, err
	}
	return read(answer)
}

// Close closes the client. Requests in flight are cancelled, and further ones are refused. Closing
// it again does nothing.
func (c *Client) Close() error { return c.CloseWithin(0) }

// CloseWithin takes no more requests, waits up to the given time for those in flight, and cancels
// the rest. The client's logger gets its last records, for which it waits at most 2 s.
func (c *Client) CloseWithin(grace time.Duration) error {
	if err := c.usable(context.Background()); err != nil {
		return err
	}
	ms := min(max(grace.Milliseconds(), 0), math.MaxUint32)
	c.native.Ended.Store(true)
	if status := c.native.Close(uint32(ms)); status < 0 && status != native.Closed {
		return misuse(status)
	}
	for _, l := range c.logs {
		l.close()
	}
	return nil
}

// Formats of Metrics.
const (
	MetricsJSON       = "json"
	MetricsPrometheus = "prometheus"
)

// Metrics are the counters so far, as a JSON document or in Prometheus' text format.
func (c *Client) Metrics(format string) (string, error) {
	if format != MetricsJSON && format != MetricsPrometheus {
		return "", newError(ErrInvalidRequest, "the format is %q or %q, not %q",
			MetricsJSON, MetricsPrometheus, format)
	}
	if err := c.usable(context.Background()); err != nil {
		return "", err
	}
	document, status := c.native.Metrics(append([]byte(format), 0))
	if status != native.OK {
		return "", misuse(status)
	}
	return document, nil
}

// early is by how much the engine's deadline comes before the context's. The engine knows whom it
// asked and what it waited for, so its error says more than the context's. Callers see no difference
// in time, because endedBy waits for the context.
const early = 5 * time.Millisecond

// options are those of one request: the client's, the request's, and the context's deadline.
func (c *Client) options(ctx context.Context, request []byte, own *Options) ([]byte, error) {
	var left time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		if left = time.Until(deadline); left <= 0 {
			return nil, endedBy(ctx, newError(ErrTimeout, "the context's deadline has passed: nothing was sent"))
		}
		if left > 10*early {
			left -= early
		}
	}
	inside := optionsInside(request)
	if own == nil && inside == "" && left == 0 {
		return c.plain, nil
	}
	return c.merge(inside, own, left)
}

// merge writes an options document from the client's options, those in the request's own document,
// and those beside it. The last of members with one name counts.
func (c *Client) merge(inside JSON, own *Options, left time.Duration) ([]byte, error) {
	e := encoder{out: make([]byte, 0, 128)}
	e.open('{')
	defaults := c.defaults
	if own != nil && own.Fanout != nil {
		// The client's fallback stands in for a target that fails. A fan-out gives its targets itself.
		defaults.Fallback = nil
	}
	defaults.write(&e)
	e.inner(inside)
	timeout, said := defaults.Timeout, defaults.Extra["timeout_ms"] != nil
	said = said || strings.Contains(string(inside), `"timeout_ms"`)
	if own != nil {
		own.write(&e)
		if own.Timeout != 0 {
			timeout, said = own.Timeout, false
		}
		said = said || own.Extra["timeout_ms"] != nil
	}
	// A time in the JSON document stays, because the context ends the request all the same.
	if left != 0 && !said && (timeout == 0 || left < timeout) {
		e.milliseconds("timeout_ms", left) // however little is left
	}
	e.close('}')
	return e.out, e.err
}

// theClient is the process's own client. The first use that succeeds makes it from the environment.
var theClient struct {
	sync.Mutex
	*Client
}

func defaultClient() (*Client, error) {
	theClient.Lock()
	defer theClient.Unlock()
	if theClient.Client == nil {
		made, err := NewClient()
		if err != nil {
			return nil, err
		}
		theClient.Client = made
	}
	return theClient.Client, nil
}
