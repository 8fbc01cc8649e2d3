// Conformance plays a plan through the package, one JSON line an outcome. The plan's format is in
// bindings/conformance/README.md.
package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	literllm "github.com/liter-llm/liter-llm/go"
)

// concurrent is how many rows run at once.
const concurrent = 32

func main() {
	plan, err := os.ReadFile(os.Getenv("LITER_LLM_PLAN"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var done sync.WaitGroup
	slots := make(chan struct{}, concurrent)
	for line := range strings.Lines(string(plan)) {
		slots <- struct{}{}
		done.Go(func() {
			defer func() { <-slots }()
			newRow(strings.TrimSuffix(line, "\n")).run()
		})
	}
	done.Wait()
}

// A row is one line of the plan.
type row struct {
	name, via, provider      string
	config, request, options []byte // nil: absent
	cancelAfter              int
	before                   []*row // calls that come before
}

func newRow(line string) *row {
	fields := strings.Split(line, "\t")
	r := &row{name: fields[0], via: fields[1], config: value(fields[3]), request: value(fields[4]),
		options: value(fields[5])}
	if fields[2] != "-" {
		r.provider = fields[2]
	}
	if fields[6] != "-" {
		r.cancelAfter, _ = strconv.Atoi(fields[6])
	}
	for i := 7; i+1 < len(fields); i += 2 {
		r.before = append(r.before, &row{request: value(fields[i]), options: value(fields[i+1])})
	}
	return r
}

// value is a field's value; nil: absent.
func value(field string) []byte {
	kind, rest, _ := strings.Cut(field, ":")
	switch kind {
	case "j":
		return []byte(rest)
	case "x":
		return unhex(rest)
	case "r":
		parts := strings.Split(rest, ":")
		times, _ := strconv.Atoi(parts[2])
		repeated := bytes.Repeat(unhex(parts[1]), times)
		return append(append(unhex(parts[0]), repeated...), unhex(parts[3])...)
	}
	return nil
}

// whole is the request for a whole answer. The package refuses one that asks for a stream, and a case
// asks what the engine says of it: the name is written with an escape, which the package does not
// look for.
func whole(request []byte) []byte {
	var document struct{ Stream any }
	if json.Unmarshal(request, &document) != nil || document.Stream != true {
		return request
	}
	return bytes.ReplaceAll(request, []byte(`"stream"`), []byte(`"\u0073tream"`))
}

func unhex(text string) []byte {
	decoded, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return append([]byte{}, decoded...)
}

// An outcome is what a runner prints.
type outcome struct {
	Case   string           `json:"case"`
	Via    string           `json:"via"`
	Events *[]literllm.JSON `json:"events,omitempty"`
	Result literllm.JSON    `json:"result,omitempty"`
	Error  literllm.JSON    `json:"error,omitempty"`
}

var output sync.Mutex

func (r *row) run() {
	out := outcome{Case: r.name, Via: r.via}
	if r.via == "stream" {
		out.Events = &[]literllm.JSON{}
	}
	if err := r.play(&out); err != nil {
		var failure *literllm.Error
		if !errors.As(err, &failure) {
			panic(err)
		}
		document := failure.Document()
		out.Error = literllm.JSON(document[len(`{"error":`) : len(document)-1])
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	if _, err := os.Stdout.Write(line.Bytes()); err != nil {
		panic(err)
	}
}

func (r *row) play(out *outcome) error {
	if r.via == "invoke" {
		answer, err := literllm.Invoke(r.provider, whole(r.request))
		out.Result = literllm.JSON(answer)
		return err
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	defer client.Close()
	for _, earlier := range r.before {
		request, err := earlier.chatRequest()
		if err != nil {
			return err
		}
		if bytes.Contains(earlier.request, []byte(`"stream":true`)) {
			_ = collect(client, request, new(outcome))
		} else {
			_, _ = client.Chat(context.Background(), request)
		}
	}
	request, err := r.chatRequest()
	if err != nil {
		return err
	}
	if r.via == "stream" {
		return r.stream(client, request, out)
	}
	if r.via == "collect" {
		return collect(client, request, out)
	}
	request.Raw = whole(request.Raw)
	if fanout := request.Options.Fanout; fanout != nil {
		multi, err := client.GenerateMulti(context.Background(), request, fanout.Targets, fanout.First)
		if err == nil {
			out.Result = multi.Document()
		}
		return err
	}
	response, err := client.Chat(context.Background(), request)
	if err == nil {
		out.Result = response.Document()
	}
	return err
}

// client runs requests on the caller's thread with call, and on the engine's with submit.
func (r *row) client() (*literllm.Client, error) {
	inline := 0
	if r.via == "call" {
		inline = concurrent
	}
	options := []literllm.Option{literllm.WithInlineCalls(inline)}
	if r.config != nil {
		options = append(options, literllm.WithConfigJSON(r.config))
	}
	return literllm.NewClient(options...)
}

func (r *row) chatRequest() (*literllm.ChatRequest, error) {
	request := &literllm.ChatRequest{Raw: r.request, Options: &literllm.Options{Provider: r.provider}}
	if r.options != nil {
		request.Options.Extra = map[string]any{}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(r.options, &members); err != nil {
			return nil, err
		}
		for name, value := range members {
			request.Options.Extra[name] = value
		}
		if fanout := members["fanout"]; fanout != nil && r.via != "stream" {
			delete(request.Options.Extra, "fanout")
			return request, json.Unmarshal(fanout, &request.Options.Fanout)
		}
	}
	return request, nil
}

func collect(client *literllm.Client, request *literllm.ChatRequest, out *outcome) error {
	stream, err := client.OpenStream(context.Background(), request)
	if err != nil {
		return err
	}
	defer stream.Close()
	response, err := stream.Result()
	if err == nil {
		out.Result = response.Document()
	}
	return err
}

func (r *row) stream(client *literllm.Client, request *literllm.ChatRequest, out *outcome) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for chunk, err := range client.Stream(ctx, request) {
		switch {
		case err != nil:
			return err
		case chunk.Response != nil:
			out.Result = chunk.Response.Document()
		default:
			*out.Events = append(*out.Events, chunk.Document())
		}
		if len(*out.Events) == r.cancelAfter {
			cancel()
		}
	}
	return nil
}
