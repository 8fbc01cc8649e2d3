package literllm_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

// schema is the part of JSON Schema that the project's schemas use.
type schema struct {
	Ref        string          `json:"$ref"`
	Type       json.RawMessage `json:"type"`
	Properties map[string]*schema
	Items      *schema
	AnyOf      []*schema
	OneOf      []*schema
	Enum       []string
	Const      any
	Defs       map[string]*schema `json:"$defs"`
}

func readSchema(t *testing.T, name string) *schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(), "bindings/conformance/schemas", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var read schema
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return &read
}

// members are the names of an object's members, in all of its forms.
func (s *schema) members() []string {
	names := map[string]bool{}
	for _, form := range append(append([]*schema{s}, s.OneOf...), s.AnyOf...) {
		for name := range form.Properties {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// fields are the names that a struct's fields have in JSON.
func fields(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if of.Field(i).IsExported() && name != "-" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// The structs have exactly the members of the schemas.
func TestSchemas(t *testing.T) {
	for _, row := range []struct {
		document, definition string
		value                any
		without              string // members that the struct leaves out
		more                 string // fields of other documents
	}{
		// The operation is always a chat; the method says whether it streams; aliases have one name.
		{"request", "", literllm.ChatRequest{}, "max_completion_tokens op reasoning_effort stream stream_options", ""},
		{"request", "MessageDocument", literllm.Message{}, "reasoning_content", ""},
		{"request", "PartDocument", literllm.Part{}, "", ""},
		{"request", "ImageDocument", literllm.ImageURL{}, "", ""},
		{"request", "AudioDocument", literllm.Audio{}, "", ""},
		{"request", "ToolCallInDocument", literllm.ToolCall{}, "", ""},
		{"request", "CalledFunctionDocument", literllm.Function{}, "", ""},
		{"request", "ToolDocument", literllm.Tool{}, "", ""},
		{"request", "FunctionDocument", literllm.FunctionSpec{}, "", ""},
		{"request", "ResponseFormatDocument", literllm.ResponseFormat{}, "", ""},
		{"request", "JsonSchemaDocument", literllm.JSONSchema{}, "", ""},
		{"request", "ReasoningDocument", literllm.Reasoning{}, "", ""},
		{"options", "", literllm.Options{}, "", ""},
		{"options", "RetryDocument", literllm.Retry{}, "", ""},
		{"options", "FanoutDocument", literllm.Fanout{}, "", ""},
		{"options", "HedgeDocument", literllm.Hedge{}, "", ""},
		{"options", "LimitDocument", literllm.Limit{}, "", ""},
		{"config", "", literllm.Config{}, "", ""},
		{"config", "LimitsDocument", literllm.Limits{}, "", ""},
		{"config", "ModelDocument", literllm.Model{}, "", ""},
		{"config", "ProbeDocument", literllm.HealthProbe{}, "", ""},
		{"config", "RouteDocument", literllm.Route{}, "", ""},
		{"config", "TargetDocument", literllm.Target{}, "", ""},
		{"config", "ParametersDocument", literllm.Parameters{}, "", ""},
		{"config", "RetryDocument", literllm.Retry{}, "", ""},
		{"config", "HedgeDocument", literllm.Hedge{}, "", ""},
		{"config", "BudgetDocument", literllm.RetryBudget{}, "", ""},
		{"config", "LimitDocument", literllm.Limit{}, "", ""},
		{"config", "ProviderDocument", literllm.Provider{}, "", ""},
		{"config", "TimeoutsDocument", literllm.Timeouts{}, "", ""},
		{"response", "", literllm.Response{}, "", ""},
		{"response", "Choice", literllm.Choice{}, "", ""},
		{"response", "AssistantMessageDocument", literllm.Message{}, "", "is_error name tool_call_id"},
		{"response", "AnnotationDocument", literllm.Annotation{}, "", ""},
		{"response", "UrlCitationDocument", literllm.URLCitation{}, "", ""},
		{"response", "FileCitationDocument", literllm.FileCitation{}, "", ""},
		{"response", "AnswerImageDocument", literllm.AnswerImage{}, "", ""},
		{"response", "AnswerImageUrlDocument", literllm.AnswerImageURL{}, "", ""},
		{"response", "AnswerAudioDocument", literllm.AnswerAudio{}, "", ""},
		{"response", "ToolCallDocument", literllm.ToolCall{}, "", ""},
		{"response", "CalledDocument", literllm.Function{}, "", ""},
		{"response", "Usage", literllm.Usage{}, "", ""},
		{"response", "PromptDetails", literllm.PromptDetails{}, "", ""},
		{"response", "CompletionDetails", literllm.CompletionDetails{}, "", ""},
		{"response", "Warning", literllm.Warning{}, "", ""},
		{"response", "Liter", literllm.Liter{}, "", ""},
		{"response", "Attempt", literllm.Attempt{}, "", ""},
		{"response", "Timing", literllm.Timing{}, "", ""},
		{"chunk", "", literllm.Chunk{}, "", ""},
		{"chunk", "ChunkChoice", literllm.ChunkChoice{}, "", ""},
		{"chunk", "Delta", literllm.Delta{}, "", ""},
		{"chunk", "ToolCallDelta", literllm.ToolCallDelta{}, "", ""},
		{"chunk", "FunctionDelta", literllm.Function{}, "", ""},
		{"error", "Partial", literllm.Partial{}, "", ""},
		{"many", "", literllm.MultiResponse{}, "", ""},
	} {
		definition := readSchema(t, row.document)
		if row.definition != "" {
			definition = definition.Defs[row.definition]
		}
		if definition == nil {
			t.Errorf("%s has no %s", row.document, row.definition)
			continue
		}
		want := append(definition.members(), strings.Fields(row.more)...)
		got := append(fields(reflect.TypeOf(row.value)), strings.Fields(row.without)...)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%s %s: %T has %v, the schema %v", row.document, row.definition, row.value, got, want)
		}
	}
}

// full is a document with every member that a schema has.
func (s *schema) full(top *schema) any {
	for _, forms := range [][]*schema{s.AnyOf, s.OneOf} {
		if len(forms) > 0 {
			return forms[0].full(top)
		}
	}
	switch {
	case s.Ref != "":
		return top.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")].full(top)
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Properties != nil:
		object := map[string]any{}
		for name, member := range s.Properties {
			object[name] = member.full(top)
		}
		return object
	case s.Items != nil:
		return []any{s.Items.full(top)}
	case strings.Contains(string(s.Type), "string"):
		return "text"
	case strings.Contains(string(s.Type), "integer"):
		return 7
	case strings.Contains(string(s.Type), "number"):
		return 1.5
	case strings.Contains(string(s.Type), "boolean"):
		return true
	}
	return map[string]any{"any": []any{1, "thing", nil}}
}

// zeros are the paths of fields that are not set.
func zeros(value reflect.Value, path string) (found []string) {
	switch {
	case value.IsZero():
		return []string{path}
	case value.Kind() == reflect.Pointer:
		return zeros(value.Elem(), path)
	case value.Kind() == reflect.Slice:
		return zeros(value.Index(0), path+"[0]")
	case value.Kind() == reflect.Struct:
		for i := range value.NumField() {
			if field := value.Type().Field(i); field.IsExported() && field.Tag.Get("json") != "-" {
				found = append(found, zeros(value.Field(i), path+"."+field.Name)...)
			}
		}
	}
	return found
}

// Every member of a document is read into its field.
func TestEveryMemberIsRead(t *testing.T) {
	document := func(name string) string {
		top := readSchema(t, name)
		text, err := json.Marshal(top.full(top))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	response, err := literllm.ReadResponse(document("response"))
	if err != nil {
		t.Fatal(err)
	}
	unset := zeros(reflect.ValueOf(response), "response")
	only := []string{".Name", ".ToolCallID", ".IsError", ".Parts"} // of messages in requests
	unset = slices.DeleteFunc(unset, func(path string) bool {
		return slices.ContainsFunc(only, func(name string) bool { return strings.HasSuffix(path, ".Message"+name) })
	})
	chunk, err := literllm.ReadChunk(document("chunk"))
	if err != nil {
		t.Fatal(err)
	}
	unset = append(unset, zeros(reflect.ValueOf(chunk), "chunk")...)
	text := document("error")
	failure := literllm.ErrorFrom(text)
	unset = append(unset, zeros(reflect.ValueOf(failure), "error")...)
	if len(unset) > 0 {
		t.Error(unset)
	}
	again, err := json.Marshal(response)
	if err != nil || string(again) != document("response") {
		t.Errorf("%v %s", err, again)
	}
	var same literllm.Response
	if err := json.Unmarshal(again, &same); err != nil || !reflect.DeepEqual(same.Choices, response.Choices) {
		t.Error(err, same)
	}
}

// The header that this package is compiled against is the project's.
func TestHeader(t *testing.T) {
	ours, err := os.ReadFile(filepath.Join(root(), "go/internal/native/liter_llm.h"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(root(), "include/liter_llm.h"))
	if err != nil {
		t.Fatal(err)
	}
	if string(ours) != string(theirs) {
		t.Error("go/internal/native/liter_llm.h is not include/liter_llm.h: make header")
	}
}
