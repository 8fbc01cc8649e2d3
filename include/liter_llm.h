/*
 * liter_llm.h - the C ABI of liter-llm.
 *
 * Generated from bindings/c by `make header`. Do not edit.
 *
 * True of every function, unless its comment says otherwise:
 *
 *   In        Text is UTF-8. Every input pointer is borrowed for the call and copied before it
 *             returns; a (pointer, length) pair need not end in NUL.
 *   Out       A returned document is owned by the caller, ends in NUL, and goes back to
 *             liter_llm_free(), once, on any thread; never to free(). Values are written to out
 *             parameters only where the comment says so. liter_llm_queue_read() writes into memory
 *             of the caller: nothing is to be freed.
 *   NULL      Never crashes: LITER_LLM_E_ARGUMENT. Every *_free takes NULL.
 *   Status    int32_t: 0 done, 1 the request failed (see the error document), negative misuse of
 *             this API. What a provider answers is JSON, never a status.
 *   Panic     Caught here: LITER_LLM_E_INTERNAL, or an error document of kind "internal".
 *   Threads   Any thread may use a client, submit, cancel. One thread at a time reads a queue.
 *             The library never calls the host but for the doorbell. Its threads start with the
 *             first request, block SIGPIPE and every asynchronous signal, and do nothing at exit.
 *   Fork      A handle made before fork() answers LITER_LLM_E_FORKED in the child, without touching
 *             a lock; freeing it there does nothing. New ones work, and so does liter_llm_invoke().
 *   Layout    No struct by value, union, bool, enum, varargs or macro with arguments: one text
 *             serves cffi, Node-API, cgo and any other FFI.
 */


#ifndef LITER_LLM_H
#define LITER_LLM_H

#include <stddef.h>
#include <stdint.h>

// Raised only by a change that breaks a caller compiled against an older header.
#define LITER_LLM_ABI_VERSION 1

// Done.
#define LITER_LLM_OK 0

// The request failed: an error document says why.
#define LITER_LLM_FAILED 1

// NULL, zero, out of range, not UTF-8.
#define LITER_LLM_E_ARGUMENT -1

// The client or queue was closed.
#define LITER_LLM_E_CLOSED -2

// The handle belongs to the parent process.
#define LITER_LLM_E_FORKED -3

// A second reader, max_in_flight is reached, or a doorbell called.
#define LITER_LLM_E_BUSY -4

// The next event needs liter_llm_queue_next_size().
#define LITER_LLM_E_SPACE -5

// Not on this platform.
#define LITER_LLM_E_UNSUPPORTED -6

// A bug in the library; the process goes on.
#define LITER_LLM_E_INTERNAL -7

// No file descriptor is left: raise the limit (ulimit -n), or close what is idle.
#define LITER_LLM_E_DESCRIPTORS -8

// The call runs on the thread that reads the queue, while it reads. Implies WHOLE.
#define LITER_LLM_SUBMIT_INLINE 1

// The answer comes as CHUNKs and a RESULT, whatever "stream" in the request says.
#define LITER_LLM_SUBMIT_STREAM 2

// The answer comes as one RESULT, whatever "stream" in the request says.
#define LITER_LLM_SUBMIT_WHOLE 4

// The whole answer is one response: "fanout" in the options is an error, and nothing is sent.
#define LITER_LLM_SUBMIT_SINGLE 8

// CHUNKs that were read count as unread until liter_llm_credit says that they are consumed.
#define LITER_LLM_SUBMIT_CREDIT 16

// count chunk documents of a stream, one a line.
#define LITER_LLM_EVENT_CHUNK 1

// The response document; always the last of its token.
#define LITER_LLM_EVENT_RESULT 2

// An error document; always the last of its token.
#define LITER_LLM_EVENT_ERROR 3

// A log record; token 0.
#define LITER_LLM_EVENT_LOG 4

// A client: configuration, connections, limits.
typedef struct liter_llm_client liter_llm_client;

// A completion queue.
typedef struct liter_llm_queue liter_llm_queue;

// Runs on a library thread, which holds no lock: wake somebody up and return. Functions with a
// handle answer E_BUSY there; a free there does nothing.
typedef void (*liter_llm_doorbell)(void *user_data);

// Heads each record that liter_llm_queue_read writes: 32 bytes in native order, then len payload
// bytes, then padding to the next multiple of 8.
typedef struct liter_llm_event {
  // The caller's.
  uint64_t token;
  // LITER_LLM_EVENT_*.
  uint32_t kind;
  // ERROR: the provider's HTTP status, or 0.
  int32_t status;
  // Payload bytes.
  uint32_t len;
  // CHUNK: how many documents the payload holds.
  uint32_t count;
  // RESULT: where `,"liter":` begins in the payload, the last member of its object; 0 if there is
  // none. What stands before it and a `}` are a document too, without that member.
  uint64_t liter;
} liter_llm_event;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The ABI version of this library: LITER_LLM_ABI_VERSION of the header it was built with.
uint32_t liter_llm_abi_version(void);

// "1.4.0". Static; not freed.
const char *liter_llm_version(void);

// For hosts that want an orderly end (tests, leak checkers): cancels, flushes telemetry, joins the
// library's threads. 0: all stopped within `timeout_ms`. A later call starts them anew.
int32_t liter_llm_shutdown(uint32_t timeout_ms);

// Sends one request and waits for the answer, on a client of the process's own that is made from
// the environment at the first call (see liter_llm_client_new). `provider` ("openai"; NULL or "" to
// route by the model) and `json_req` end in NUL. Returns an owned JSON document: the response, with
// *out_len its length; or an error document, with *out_len minus its length. Never NULL, never
// empty. `out_len` may be NULL.
char *liter_llm_invoke(const char *provider, const char *json_req, int *out_len);

// The short form: one prompt to the environment's provider and model (LITER_LLM_PROVIDER,
// LITER_LLM_MODEL). `max_tokens` 0 and a negative `temperature` leave them to the provider. Writes at
// most `out_len` bytes with a NUL, cut at a character boundary, and returns the length of the whole
// text, as snprintf does; negative: it failed, and the buffer holds the message.
int64_t liter_llm_generate(const char *prompt,
                           size_t max_tokens,
                           float temperature,
                           char *out_buf,
                           size_t out_len);

// Frees any document this library returned.
void liter_llm_free(char *document);

// `config`: a JSON document, or NULL for the environment. 1: *error is an owned error document.
//
// The process's environment is read here (keys, proxies, roots) and never again. As for every
// getenv, no other thread may call setenv meanwhile. A host that cannot promise that passes the
// variables to liter_llm_client_new_with_environment.
int32_t liter_llm_client_new(const char *config,
                             size_t config_len,
                             struct liter_llm_client **out,
                             char **error);

// The same in an environment of the caller's: a JSON object of names and values, from which the
// client takes what it needs. The process's own is not read. NULL is E_ARGUMENT.
int32_t liter_llm_client_new_with_environment(const char *config,
                                              size_t config_len,
                                              const char *environment,
                                              size_t environment_len,
                                              struct liter_llm_client **out,
                                              char **error);

// Waits for the answer. 0: *out is an owned response document; 1: an owned error document.
// `request` says what is asked: only it feeds the cache key and the audit hash. `options`, or NULL,
// says how and where: provider, timeout_ms, traceparent, retry, fallback, fanout, cache, tags ...;
// it wins over the request's own "options" member by member.
int32_t liter_llm_client_call(struct liter_llm_client *client,
                              const char *request,
                              size_t request_len,
                              const char *options,
                              size_t options_len,
                              char **out,
                              size_t *out_len);

// *out is an owned JSON document ("json") or Prometheus text ("prometheus") of counters so far.
int32_t liter_llm_client_metrics(struct liter_llm_client *client,
                                 const char *format,
                                 char **out,
                                 size_t *out_len);

// Stops taking requests, waits up to `grace_ms` for those in flight, cancels the rest.
int32_t liter_llm_client_close(struct liter_llm_client *client, uint32_t grace_ms);

// Closes at once and frees. No thread may still be inside a call on this client.
void liter_llm_client_free(struct liter_llm_client *client);

// `stream_bytes` bounds what one stream may hold unread before its socket is no longer read.
// 0: 262144.
int32_t liter_llm_queue_new(uint32_t stream_bytes, struct liter_llm_queue **out);

// A descriptor that is readable while events wait: poll it, never read or close it. Negative:
// LITER_LLM_E_* (E_DESCRIPTORS: none is left; ask again when there is one).
int32_t liter_llm_queue_fd(struct liter_llm_queue *queue);

// Calls `doorbell` whenever the queue stops being empty. NULL ends that, and returns only when no
// call is running and none will start: after it `user_data` may be freed.
int32_t liter_llm_queue_notify(struct liter_llm_queue *queue,
                               liter_llm_doorbell doorbell,
                               void *user_data);

// Moves as many whole events as fit into `buf`, waiting up to `timeout_ms` for the first (0 does
// not wait, -1 has no limit). Returns the bytes written, 0 when time is up, or LITER_LLM_E_*
// (E_CLOSED: closed and nothing left). What does not fit stays, and rings again.
int64_t liter_llm_queue_read(struct liter_llm_queue *queue,
                             uint8_t *buf,
                             size_t cap,
                             int32_t timeout_ms);

// Bytes that the next event needs; 0 when there is none.
size_t liter_llm_queue_next_size(struct liter_llm_queue *queue);

// Adds log records of `level` (0 off, 1 error, 2 warn, 3 info, 4 debug) to this queue: of
// the calls of every client. At most 10,000 records or 4 MiB of them wait unread: of more, the
// oldest are dropped, and a record "dropped" says how many.
int32_t liter_llm_queue_logs(struct liter_llm_queue *queue, int32_t level);

// The same, of the calls of one client only. It replaces what the queue wanted before.
int32_t liter_llm_queue_logs_of(struct liter_llm_queue *queue,
                                const struct liter_llm_client *client,
                                int32_t level);

// Refuses submits, cancels what runs, wakes the reader; what is queued can still be read.
int32_t liter_llm_queue_close(struct liter_llm_queue *queue);

// Closes, drops what is left, closes its descriptor at once and frees. No thread may be inside
// liter_llm_queue_read.
void liter_llm_queue_free(struct liter_llm_queue *queue);

// Starts a request and returns at once. `token` is the caller's: not 0, unique among those in
// flight on this queue, never a pointer. After 0, exactly one RESULT or ERROR of this token
// follows, whatever happens: answer, error, cancel, close or panic. Of a stream, CHUNKs come before
// it; chunks that wait are merged into one event.
//
// `flags`: 0, or LITER_LLM_SUBMIT_* joined by `|`. Without STREAM, WHOLE and INLINE the request's own
// "stream" says how the answer comes. STREAM or CREDIT with one of these, and an unknown bit, is
// E_ARGUMENT. An INLINE call that nobody reads stands still until it is cancelled; while one is in
// flight on the queue, further ones run on the library's threads.
int32_t liter_llm_submit(struct liter_llm_client *client,
                         struct liter_llm_queue *queue,
                         uint64_t token,
                         uint32_t flags,
                         const char *request,
                         size_t request_len,
                         const char *options,
                         size_t options_len);

// Asks to stop. Safe at any time, more than once, and after the end. The last event still comes.
int32_t liter_llm_cancel(struct liter_llm_queue *queue, uint64_t token);

// Says that `bytes` more of the payload of a stream's CHUNKs are consumed. The stream must have been
// submitted with CREDIT: its socket is read while less than `stream_bytes` of the queue are not
// consumed. So one reader serves many streams of one queue, keeps what each is slow to take, and lets
// no other wait. Give credit for the first chunk at once, then for at most a quarter of
// `stream_bytes` together. Safe at any time.
int32_t liter_llm_credit(struct liter_llm_queue *queue,
                         uint64_t token,
                         uint64_t bytes);

// The reader wants only the whole answer of a stream: no further CHUNK comes, but those that wait
// still do. As nothing of it was shown, an answer that breaks then begins anew by default
// ("on_break" in the options). Call it before a chunk was shown to anybody. Safe at any time.
int32_t liter_llm_collect(struct liter_llm_queue *queue, uint64_t token);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LITER_LLM_H */
