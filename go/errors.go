package literllm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liter-llm/liter-llm/go/internal/native"
)

// A Kind is the kind of failure of an [Error]. The list is closed, and docs/errors.md says what to
// do for each. Kinds are errors, so that errors.Is(err, ErrRateLimit) asks for one.
type Kind string

// Error makes a Kind a target of errors.Is.
func (k Kind) Error() string { return string(k) }

// The kinds of failure.
var (
	// ErrInvalidRequest: the request is wrong and needs a change. Param names the member.
	ErrInvalidRequest error = Kind("invalid_request")
	// ErrContextLength: prompt and answer do not fit the model's context.
	ErrContextLength error = Kind("context_length")
	// ErrUnsupported: the provider, model or build cannot do what was asked.
	ErrUnsupported error = Kind("unsupported")
	// ErrAuthentication: the key is missing or refused.
	ErrAuthentication error = Kind("authentication")
	// ErrPermission: the key may not do this.
	ErrPermission error = Kind("permission")
	// ErrNotFound: there is no such provider, model or resource.
	ErrNotFound error = Kind("not_found")
	// ErrRateLimit: too many requests or tokens. Wait RetryAfter, if the provider gave a time.
	ErrRateLimit error = Kind("rate_limit")
	// ErrQuota: credit or a spending limit is used up, so waiting does not help.
	ErrQuota error = Kind("quota")
	// ErrContentFilter: the provider's filter refused the prompt or the answer.
	ErrContentFilter error = Kind("content_filter")
	// ErrUnavailable: the provider is overloaded or failing.
	ErrUnavailable error = Kind("unavailable")
	// ErrBadResponse: the provider said 2xx and sent something that is not an answer.
	ErrBadResponse error = Kind("bad_response")
	// ErrStreamBroken: a stream ended without its last event. Partial is the part that had arrived.
	ErrStreamBroken error = Kind("stream_broken")
	// ErrConnection: no connection could be made, or it was lost.
	ErrConnection error = Kind("connection")
	// ErrTimeout: a timer ran out; also context.DeadlineExceeded.
	ErrTimeout error = Kind("timeout")
	// ErrCancelled: the context was cancelled, or the client was closed; also context.Canceled.
	ErrCancelled error = Kind("cancelled")
	// ErrInternal: a bug in this library.
	ErrInternal error = Kind("internal")
)

// An Error is a request that failed.
//
//	var failure *literllm.Error
//	if errors.As(err, &failure) && failure.Retryable { … }
//	if errors.Is(err, literllm.ErrRateLimit) { … }
type Error struct {
	// Kind is one of the closed list: Kind("rate_limit"), which is ErrRateLimit.
	Kind Kind
	// Message says in one line who failed, how, how often, and why. It is the same in every
	// language, and never holds a key or a prompt.
	Message string
	// Reason is why it failed, without the rest of Message: the provider's own words, or what the
	// engine found. It is empty if Message is no more than that.
	Reason string
	// Provider is the provider's name in the configuration.
	Provider string
	// Model is the model that was asked for.
	Model string
	// Status is the provider's HTTP status, or 0 if there was none.
	Status int
	// Code is the provider's own code or type, as it gave it.
	Code string
	// Retryable says whether the same request may succeed later.
	Retryable bool
	// RetryAfter is the time that the provider asked to wait, or 0 if it did not ask.
	RetryAfter time.Duration
	// RequestID is the provider's id of the request, for its support.
	RequestID string
	// Param is the member of the request that is at fault: "messages[0].role".
	Param string
	// RateLimit are the answer's rate limit headers, as they came, or nil.
	RateLimit JSON
	// ProviderError is the provider's own error, its JSON or its text, or nil.
	ProviderError JSON
	// Partial is the part of a stream that had arrived when it broke, or nil.
	Partial *Partial
	// Attempts has one entry for each attempt that was made.
	Attempts []Attempt

	document string
	cause    error
}

// Error is Message.
func (e *Error) Error() string { return e.Message }

// Is compares kinds, so that errors.Is(err, ErrRateLimit) works. A timeout is also
// context.DeadlineExceeded, and a cancelled request is also context.Canceled.
func (e *Error) Is(target error) bool {
	switch e.Kind {
	case "timeout":
		if target == context.DeadlineExceeded {
			return true
		}
	case "cancelled":
		if target == context.Canceled {
			return true
		}
	}
	return target == error(e.Kind)
}

// Unwrap is the context's cause if a context ended the request. For a value that could not be
// written as JSON, it is the reason. Otherwise it is nil.
func (e *Error) Unwrap() error { return e.cause }

// Timeout reports whether it was a timeout. An Error is also a net.Error.
func (e *Error) Timeout() bool { return e.Kind == "timeout" }

// Temporary is Retryable, because package net's interface has it.
func (e *Error) Temporary() bool { return e.Retryable }

// Document is the error document, equal in every language: {"error":{"kind":…,"message":…}}.
func (e *Error) Document() string {
	if e.document != "" {
		return e.document
	}
	said := errorBody{
		Kind: e.Kind, Message: e.Message, Reason: e.Reason, Provider: e.Provider, Model: e.Model,
		Status: e.Status, Code: e.Code,
		Retryable: e.Retryable, RetryAfterMS: e.RetryAfter.Milliseconds(), RequestID: e.RequestID,
		Param: e.Param, Ratelimit: e.RateLimit, ProviderError: e.ProviderError,
		Partial: e.Partial, Attempts: e.Attempts,
	}
	made, _ := marshal("the error", errorDocument{Error: said})
	return string(made)
}

// MarshalJSON is the document.
func (e *Error) MarshalJSON() ([]byte, error) { return []byte(e.Document()), nil }

// UnmarshalJSON reads a document.
func (e *Error) UnmarshalJSON(document []byte) error {
	*e = *errorFrom(string(document))
	return nil
}

// newError is an error that this package finds by itself.
func newError(kind error, format string, arguments ...any) *Error {
	return &Error{Kind: kind.(Kind), Message: fmt.Sprintf(format, arguments...)}
}

// errorFrom reads an error document.
func errorFrom(document string) *Error {
	d := decoder{text: document}
	var outer errorDocument
	outer.read(&d)
	if d.failed {
		return newError(ErrInternal, "the engine's error document cannot be read from byte %d on", d.fault)
	}
	inner := outer.Error
	return &Error{
		Kind: inner.Kind, Message: inner.Message, Reason: inner.Reason, Provider: inner.Provider, Model: inner.Model,
		Status: inner.Status, Code: inner.Code, Retryable: inner.Retryable,
		RetryAfter: milliseconds(inner.RetryAfterMS),
		RequestID:  inner.RequestID, Param: inner.Param, RateLimit: inner.Ratelimit,
		ProviderError: inner.ProviderError, Partial: inner.Partial,
		Attempts: inner.Attempts, document: document,
	}
}

// misuse is the error for a negative status of the C interface.
func misuse(status int) *Error {
	switch status {
	case native.Closed:
		return newError(ErrCancelled, "the client is closed: make a new one")
	case native.Busy:
		err := newError(ErrRateLimit, "max_in_flight requests are in flight already: wait for some, "+
			"or raise it in the client's configuration")
		err.Retryable = true
		return err
	case native.Descriptors: // as when there is none for a connection
		err := newError(ErrConnection, "no file descriptor is left for the request: raise the limit of open files "+
			"(ulimit -n), or close clients and streams that are idle")
		err.Retryable = true
		return err
	case native.Argument:
		return newError(ErrInvalidRequest, "the engine cannot take the request: it is not UTF-8")
	}
	return newError(ErrInternal, "the engine answered with status %d", status)
}

// endedBy is a failure of the engine's, or the context's error where that is what ended the request.
//
// The engine knows the deadline too, and its timer is mostly faster. Then endedBy waits for the
// context, which is due. So the error has the context's cause, and ctx.Err() agrees. The wait is
// not for ever, because a foreign context may have a deadline and not keep it.
func endedBy(ctx context.Context, failure *Error) *Error {
	if failure.Kind != "cancelled" && failure.Kind != "timeout" {
		return failure
	}
	if deadline, ok := ctx.Deadline(); ok && failure.Kind == "timeout" && time.Until(deadline) <= 2*early {
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
		}
	}
	if ctx.Err() == nil {
		return failure
	}
	return ended(ctx, failure)
}

// ended is the error of a context that is over. It keeps the engine's last report, if any.
func ended(ctx context.Context, engine *Error) *Error {
	cause := context.Cause(ctx)
	failure := &Error{Kind: "cancelled", Message: "the context was cancelled: " + cause.Error()}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		failure.Kind, failure.Retryable = "timeout", true
		failure.Message = "the context's deadline passed: give more time, or send the same again"
	}
	if engine != nil {
		failure.Provider, failure.Model = engine.Provider, engine.Model
		failure.Partial, failure.Attempts = engine.Partial, engine.Attempts
		if engine.Kind == "timeout" && engine.Provider != "" { // says whom it asked, and what it waited for
			failure.Message = engine.Message + "; " + failure.Message
		}
	}
	failure.cause = cause
	return failure
}
