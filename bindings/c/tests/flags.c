/*
 * flags.c - what LITER_LLM_SUBMIT_* say holds whatever the documents say, and words inside a document
 * mean nothing. Bits that are unknown or contradict one another are refused, and no event follows.
 */
#include "check.h"

enum {
  INLINE = LITER_LLM_SUBMIT_INLINE,
  STREAM = LITER_LLM_SUBMIT_STREAM,
  WHOLE = LITER_LLM_SUBMIT_WHOLE,
  SINGLE = LITER_LLM_SUBMIT_SINGLE,
  CREDIT = LITER_LLM_SUBMIT_CREDIT
};

static const char FANOUT[] = "{\"fanout\":{\"targets\":[\"openai/a\",\"openai/b\"],\"first\":2}}";
static const char FANOUT_INSIDE[] =
    "{\"prompt\":\"hello\",\"options\":{\"fanout\":{\"targets\":[\"openai/a\"]}}}";
static liter_llm_client *client;
static liter_llm_queue *queue;

/* The last event's kind and document, which is the caller's to free, and how many chunks came before. */
static char *end_of(uint32_t flags, const char *request, const char *options, uint32_t *kind,
                    uint32_t *chunks) {
  static uint64_t token;
  records r = {0};
  char *document = NULL;
  *kind = *chunks = 0;
  CHECK(submit_how(client, queue, ++token, flags, request, options) == LITER_LLM_OK, "submit %u", flags);
  while (*kind == 0) {
    liter_llm_event event;
    CHECK(read_records(queue, &r, 20000) > 0, "no event of %s with %u", request, flags);
    while (next_record(&r, &event, &document)) {
      CHECK(event.token == token && *kind == 0, "token %llu", (unsigned long long)event.token);
      *chunks += event.count;
      if (event.kind == LITER_LLM_EVENT_CHUNK) free(document);
      else *kind = event.kind;
    }
  }
  free_records(&r);
  return document;
}

/* Whether the answer comes in chunks. */
static void comes(uint32_t flags, const char *request, int streamed) {
  uint32_t kind, chunks;
  char *document = end_of(flags, request, "", &kind, &chunks);
  CHECK(kind == LITER_LLM_EVENT_RESULT, "%u: %s", flags, document);
  CHECK(strstr(document, "\"object\":\"chat.completion\"") != NULL, "%s", document);
  CHECK((chunks > 0) == streamed, "%u chunks of %s with %u", chunks, request, flags);
  free(document);
}

static void whole_or_stream(void) {
  static const char whole[] = "{\"prompt\":\"hello\",\"stream\":false}";
  comes(0, HELLO, 0);
  comes(0, HELLO_STREAM, 1);
  comes(STREAM, HELLO, 1);
  comes(STREAM, whole, 1);
  comes(STREAM, HELLO_STREAM, 1);
  comes(STREAM | SINGLE, HELLO, 1);
  comes(STREAM | SINGLE | CREDIT, HELLO, 1);
  comes(CREDIT, HELLO, 0);
  comes(CREDIT, HELLO_STREAM, 1);
  comes(WHOLE, HELLO, 0);
  comes(WHOLE, HELLO_STREAM, 0);
  comes(INLINE, HELLO_STREAM, 0);
  comes(INLINE | WHOLE | SINGLE, HELLO_STREAM, 0);
}

/* A fan-out where one answer is wanted fails before anything is sent. */
static void single(void) {
  static const struct {
    uint32_t flags;
    const char *request, *options;
  } refused[] = {
      {SINGLE, HELLO, FANOUT},          {SINGLE | WHOLE, HELLO_STREAM, FANOUT},
      {SINGLE | INLINE, HELLO, FANOUT}, {SINGLE, FANOUT_INSIDE, ""},
  };
  uint32_t kind, chunks;
  char *document;
  long before = sim_stat("requests");
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    document = end_of(refused[i].flags, refused[i].request, refused[i].options, &kind, &chunks);
    CHECK(kind == LITER_LLM_EVENT_ERROR && is_kind(document, "invalid_request"), "%s", document);
    CHECK(strstr(document, "\"param\":\"options.fanout\"") != NULL, "%s", document);
    free(document);
  }
  CHECK(sim_stat("requests") == before, "a request was sent");
  document = end_of(WHOLE, HELLO_STREAM, FANOUT, &kind, &chunks);
  CHECK(kind == LITER_LLM_EVENT_RESULT && strstr(document, "\"results\":["), "%s", document);
  free(document);
  document = end_of(SINGLE, "{\"prompt\":\"\\\"fanout\\\":{\"}", "", &kind, &chunks);
  CHECK(kind == LITER_LLM_EVENT_RESULT, "a word in the prompt: %s", document);
  free(document);
}

/* It runs where the queue is read and nowhere else, also where the prompt is about streams. */
static void inline_waits_for_its_reader(void) {
  static const char words[] = "{\"prompt\":\"\\\"stream\\\":true\"}";
  liter_llm_queue *unread = queue_of(0);
  ends out;
  CHECK(submit_how(client, unread, 1, INLINE, words, "") == LITER_LLM_OK, "submit");
  for (int i = 0; i < 20; i++) call_ok(client);
  CHECK(liter_llm_queue_next_size(unread) == 0, "somebody else ran it");
  drain(unread, 1, NULL, 0, &out, 20000);
  CHECK(out.results == 1 && out.chunks == 0, "%s", out.error);
  liter_llm_queue_free(unread);
  uint32_t kind, chunks;
  char *document = end_of(0, HELLO, "{\"inline\":true}", &kind, &chunks);
  CHECK(is_kind(document, "invalid_request") && strstr(document, "options.inline"), "%s", document);
  free(document);
}

static void refused(void) {
  static const uint32_t flags[] = {32,     1u << 31,        UINT32_MAX,
                                   STREAM | WHOLE, STREAM | INLINE, STREAM | WHOLE | SINGLE,
                                   INLINE | 32,    CREDIT | WHOLE,  CREDIT | INLINE};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    int32_t status = submit_how(client, queue, 1u << 20, flags[i], HELLO, "");
    CHECK(status == LITER_LLM_E_ARGUMENT, "flags %u: %d", flags[i], status);
  }
  uint8_t byte;
  CHECK(liter_llm_queue_read(queue, &byte, 1, 0) == 0, "an event of a call that was refused");
  comes(0, HELLO, 0);
}

int main(void) {
  client = client_sim("");
  queue = queue_of(0);
  whole_or_stream();
  single();
  inline_waits_for_its_reader();
  refused();
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return 0;
}
