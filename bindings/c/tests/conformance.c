/*
 * The conformance runner of C: the header and the C library, nothing else. Reads the plan that
 * bindings/conformance/run.py made (LITER_LLM_PLAN) and prints one outcome a line; README.md there
 * describes both.
 *
 * It knows no JSON: each row's documents are ready-made, and what comes back is printed as it is.
 * `submit`, `stream` and `collect` rows are all in flight together, up to AT_ONCE, on one queue; `invoke` and
 * `call` rows wait for their answers one after another.
 */
#include "liter_llm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7, AT_ONCE = 32, BUFFER = 1 << 16 };

typedef struct text {
  char *bytes;
  size_t len, cap;
} text;

typedef struct row {
  char *field[FIELDS]; /* case, via, provider, config, request, options, cancel_after */
  char *before;        /* further fields: request and options of each call that comes before */
  liter_llm_client *client;
  text events;
  unsigned long chunks, cancel_after;
} row;

static liter_llm_client *shared; /* the client of rows without a configuration of their own */

static void die(const char *what) {
  fprintf(stderr, "conformance.c: %s\n", what);
  exit(1);
}

static void add(text *to, const char *bytes, size_t len) {
  if (to->len + len + 1 > to->cap) {
    to->cap = 2 * (to->len + len + 1);
    if (!(to->bytes = realloc(to->bytes, to->cap))) die("out of memory");
  }
  memcpy(to->bytes + to->len, bytes, len);
  to->len += len;
  to->bytes[to->len] = 0;
}

static void add_hex(text *to, const char *digits, const char *end) {
  for (; digits < end; digits += 2) {
    const char pair[3] = {digits[0], digits[1], 0};
    const char byte = (char)strtoul(pair, NULL, 16);
    add(to, &byte, 1);
  }
}

/* A field's bytes: `j:` JSON, `x:` hex, `r:` hex prefix, unit, times and suffix; NULL for `-`. */
static text bytes_of(const char *field) {
  text out = {NULL, 0, 0};
  const char *end = field + strlen(field);
  if (*field == 'j') add(&out, field + 2, (size_t)(end - field) - 2);
  if (*field == 'x') add(&out, "", 0), add_hex(&out, field + 2, end);
  if (*field == 'r') {
    const char *unit = strchr(field + 2, ':') + 1, *times = strchr(unit, ':') + 1;
    const char *suffix = strchr(times, ':') + 1;
    text one = {NULL, 0, 0};
    add(&one, "", 0);
    add_hex(&one, unit, times - 1);
    add_hex(&out, field + 2, unit - 1);
    for (unsigned long n = strtoul(times, NULL, 10); n > 0; n--) add(&out, one.bytes, one.len);
    add_hex(&out, suffix, end);
    free(one.bytes);
  }
  return out;
}

/* An error document is {"error":{…}}: its inside follows the key as it is. */
static void print(const row *r, int failed, const char *document, size_t len) {
  printf("{\"case\":\"%s\",\"via\":\"%s\",", r->field[0], r->field[1]);
  if (!strcmp(r->field[1], "stream"))
    printf("\"events\":[%s],", r->events.bytes ? r->events.bytes : "");
  if (!failed) fputs("\"result\":", stdout);
  fwrite(document + (failed ? 1 : 0), 1, failed ? len - 2 : len, stdout);
  puts("}");
}

/* The next of the fields that follow, or NULL. */
static char *next_field(char **rest) {
  char *field = *rest;
  if (field && (*rest = strchr(field, '\t'))) *(*rest)++ = 0;
  return field;
}

/* Whether events end with the last one of a stream. */
static int has_ended(const uint8_t *events, int64_t len) {
  liter_llm_event event = {0};
  for (int64_t at = 0; at < len; at += (int64_t)((sizeof event + event.len + 7) / 8 * 8))
    memcpy(&event, events + at, sizeof event);
  return event.kind == LITER_LLM_EVENT_RESULT || event.kind == LITER_LLM_EVENT_ERROR;
}

/* Reads a stream to its end, on a queue of its own. */
static void stream_before(row *r, const text *request, const text *options) {
  liter_llm_queue *queue = NULL;
  size_t cap = BUFFER;
  uint8_t *buffer = malloc(cap);
  int64_t got = 0;
  if (!buffer || liter_llm_queue_new(0, &queue) != 0 ||
      liter_llm_submit(r->client, queue, 1, LITER_LLM_SUBMIT_STREAM, request->bytes, request->len,
                       options->bytes, options->len) != 0)
    die("a stream that comes before");
  do {
    got = liter_llm_queue_read(queue, buffer, cap, -1);
    if (got == LITER_LLM_E_SPACE) {
      cap = liter_llm_queue_next_size(queue);
      free(buffer);
      if (!(buffer = malloc(cap))) die("out of memory");
    } else if (got < 0) {
      die("liter_llm_queue_read failed");
    }
  } while (got <= 0 || !has_ended(buffer, got));
  free(buffer);
  liter_llm_queue_free(queue);
}

/* Makes the calls that come before, one after another. */
static void call_before(row *r) {
  char *rest = r->before, *field;
  while ((field = next_field(&rest))) {
    text request = bytes_of(field), options = bytes_of(next_field(&rest));
    char *out = NULL;
    size_t len = 0;
    if (strstr(request.bytes, "\"stream\":true"))
      stream_before(r, &request, &options);
    else if (liter_llm_client_call(r->client, request.bytes, request.len, options.bytes,
                                   options.len, &out, &len) < 0)
      die("liter_llm_client_call is misused");
    liter_llm_free(out);
    free(request.bytes);
    free(options.bytes);
  }
}

/* Makes the row's client; 0 where its configuration is refused, which is then its outcome. */
static int open_client(row *r) {
  text config = bytes_of(r->field[3]);
  char *error = NULL;
  if (!config.bytes && shared) r->client = shared;
  if (!r->client && liter_llm_client_new(config.bytes, config.len, &r->client, &error) != 0) {
    print(r, 1, error, strlen(error));
    liter_llm_free(error);
  } else if (!config.bytes) {
    shared = r->client;
  }
  free(config.bytes);
  if (r->client) call_before(r);
  return r->client != NULL;
}

static void end_row(row *r) {
  if (r->client != shared) liter_llm_client_free(r->client);
  free(r->events.bytes);
  free(r->field[0]);
  memset(r, 0, sizeof *r);
}

static void wait_for(row *r) {
  text request = bytes_of(r->field[4]), options = bytes_of(r->field[5]);
  char *out = NULL;
  if (!strcmp(r->field[1], "invoke")) {
    int len = 0;
    out = liter_llm_invoke(r->field[2], request.bytes, &len);
    print(r, len < 0, out, (size_t)(len < 0 ? -len : len));
  } else if (open_client(r)) {
    size_t len = 0;
    int32_t status = liter_llm_client_call(r->client, request.bytes, request.len, options.bytes,
                                           options.len, &out, &len);
    if (status < 0) die("liter_llm_client_call is misused");
    print(r, status != 0, out, len);
  }
  liter_llm_free(out);
  free(request.bytes);
  free(options.bytes);
  end_row(r);
}

static int submit(row *r, liter_llm_queue *queue, uint64_t token) {
  int begun = open_client(r);
  if (begun) {
    text request = bytes_of(r->field[4]), options = bytes_of(r->field[5]);
    int collects = !strcmp(r->field[1], "collect");
    uint32_t how = collects || !strcmp(r->field[1], "stream") ? LITER_LLM_SUBMIT_STREAM
                                                              : LITER_LLM_SUBMIT_WHOLE;
    if (liter_llm_submit(r->client, queue, token, how, request.bytes, request.len, options.bytes,
                         options.len) != 0)
      die("liter_llm_submit is misused");
    if (collects && liter_llm_collect(queue, token) != 0) die("liter_llm_collect failed");
    free(request.bytes);
    free(options.bytes);
  } else {
    end_row(r);
  }
  return begun;
}

/* Chunk documents, one a line, become members of a list; past cancel_after they are not wanted. */
static void take_chunks(row *r, liter_llm_queue *queue, uint64_t token, const char *lines,
                        size_t len) {
  const char *end = lines + len, *newline;
  for (; lines < end && (newline = memchr(lines, '\n', (size_t)(end - lines)));
       lines = newline + 1) {
    if (r->cancel_after && r->chunks == r->cancel_after) break;
    if (r->events.len) add(&r->events, ",", 1);
    add(&r->events, lines, (size_t)(newline - lines));
    if (++r->chunks == r->cancel_after) liter_llm_cancel(queue, token);
  }
}

/* Reads what is there; returns how many rows came to their end. */
static int read_events(row *rows, liter_llm_queue *queue, uint8_t **buffer, size_t *cap) {
  int ended = 0;
  int64_t got = liter_llm_queue_read(queue, *buffer, *cap, -1);
  if (got == LITER_LLM_E_SPACE) {
    *cap = liter_llm_queue_next_size(queue);
    free(*buffer);
    if (!(*buffer = malloc(*cap))) die("out of memory");
    return 0;
  }
  if (got < 0) die("liter_llm_queue_read failed");
  for (int64_t at = 0; at < got;) {
    liter_llm_event event;
    memcpy(&event, *buffer + at, sizeof event);
    const char *payload = (const char *)*buffer + at + sizeof event;
    row *r = &rows[event.token - 1];
    if (event.kind == LITER_LLM_EVENT_CHUNK) {
      take_chunks(r, queue, event.token, payload, event.len);
    } else {
      print(r, event.kind == LITER_LLM_EVENT_ERROR, payload, event.len);
      end_row(r);
      ended++;
    }
    at += (int64_t)((sizeof event + event.len + 7) / 8 * 8);
  }
  return ended;
}

/* Reads one line of any length and cuts it into a row; 0 at the end of the plan. */
static int next_row(FILE *plan, row *r) {
  text line = {NULL, 0, 0};
  char part[4096];
  while (fgets(part, sizeof part, plan)) {
    add(&line, part, strlen(part));
    if (line.bytes[line.len - 1] == '\n') break;
  }
  if (!line.len) return 0;
  line.bytes[line.len - 1] = 0;
  memset(r, 0, sizeof *r);
  for (int i = 0; i < FIELDS; i++) {
    r->field[i] = i ? strchr(r->field[i - 1], '\t') : line.bytes;
    if (!r->field[i]) die("a row has seven fields");
    if (i) *r->field[i]++ = 0;
  }
  r->before = strchr(r->field[6], '\t');
  if (r->before) *r->before++ = 0;
  r->cancel_after = strtoul(r->field[6], NULL, 10);
  return 1;
}

int main(void) {
  const char *path = getenv("LITER_LLM_PLAN");
  FILE *plan = path ? fopen(path, "r") : NULL;
  if (!plan) die("LITER_LLM_PLAN must name the plan");
  liter_llm_queue *queue = NULL;
  if (liter_llm_queue_new(0, &queue) != 0) die("no queue");
  size_t cap = BUFFER;
  uint8_t *buffer = malloc(cap);
  row rows[AT_ONCE], next;
  memset(rows, 0, sizeof rows);
  int in_flight = 0;
  while (next_row(plan, &next)) {
    if (!strcmp(next.field[1], "invoke") || !strcmp(next.field[1], "call")) {
      wait_for(&next);
      continue;
    }
    while (in_flight == AT_ONCE) in_flight -= read_events(rows, queue, &buffer, &cap);
    int place = 0;
    while (rows[place].client) place++;
    rows[place] = next;
    in_flight += submit(&rows[place], queue, (uint64_t)place + 1);
  }
  while (in_flight) in_flight -= read_events(rows, queue, &buffer, &cap);
  fclose(plan);
  free(buffer);
  liter_llm_queue_free(queue);
  if (shared) liter_llm_client_free(shared);
  return 0;
}
