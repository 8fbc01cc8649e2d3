/*
 * unicode.c - text of every kind there and back, whole and streamed, and byte sequences that are no
 * text, which are refused before anything is sent.
 */
#include "check.h"

static liter_llm_client *client;

/* Between quotes as a request writes it, and as a document writes it that was read and written anew. */
static const char *const TEXTS[][2] = {
    {"na\xc3\xafve caf\xc3\xa9", "na\xc3\xafve caf\xc3\xa9"},
    {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
    {"\\ud83c\\udf89 \\u00e9", "\xf0\x9f\x8e\x89 \xc3\xa9"},
    {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"},
    {"\xd9\x85\xd8\xb1 \xd7\xa9\xd7\x9c", "\xd9\x85\xd8\xb1 \xd7\xa9\xd7\x9c"},
    {"\\u2028\\u2029\\ufeff\\ufffd\\uffff",
     "\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbf"},
    {"e\xcc\x81 is not \xc3\xa9", "e\xcc\x81 is not \xc3\xa9"},
    {"a\\u0000b\\u001f\\u007f", "a\\u0000b\\u001f\x7f"},
    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\\\"\\\\/\\b\\f\\n\\r\\t"},
};

static void there_and_back(const char *written, const char *read_back) {
  char *request = text("{\"prompt\":\"%s\",\"stream\":false}", written);
  char *streamed = text("{\"prompt\":\"%s\",\"stream\":true}", written);
  char *wanted = text("\"content\":\"You said: %s\"", read_back);
  int32_t status;
  char *document = call(client, request, &status);
  CHECK(status == LITER_LLM_OK && strstr(document, wanted) != NULL, "not %s: %s", wanted, document);
  liter_llm_free(document);

  liter_llm_queue *queue = queue_of(0);
  records r = {0};
  int over = 0;
  CHECK(submit(client, queue, 1, streamed) == LITER_LLM_OK, "submit");
  while (!over) {
    liter_llm_event event;
    char *payload;
    CHECK(read_records(queue, &r, 10000) > 0, "no event");
    while (next_record(&r, &event, &payload)) {
      CHECK(event.kind != LITER_LLM_EVENT_ERROR, "%s", payload);
      over |= event.kind == LITER_LLM_EVENT_RESULT;
      if (over) CHECK(strstr(payload, wanted) != NULL, "not %s: %s", wanted, payload);
      free(payload);
    }
  }
  free_records(&r);
  liter_llm_queue_free(queue);
  free(request);
  free(streamed);
  free(wanted);
}

/* Half characters, too long forms and bytes of no character, in a prompt and in an escape. */
static void no_text(void) {
  static const char *const bad[] = {"\xff", "\xc3", "\xe2\x82", "\xc0\x80", "\xed\xa0\x80",
                                    "\xf4\x90\x80\x80", "\\ud83d", "\\udc00\\ud83d", "\\u12"};
  long before = sim_stat("requests");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char *request = text("{\"prompt\":\"secret %s\"}", bad[i]);
    int32_t status;
    char *document = call(client, request, &status);
    CHECK(status == LITER_LLM_FAILED && is_kind(document, "invalid_request"), "%zu: %d %s", i,
          status, document ? document : "");
    CHECK(strstr(document, "secret") == NULL, "the message quotes the prompt: %s", document);
    liter_llm_free(document);
    free(request);
  }
  CHECK(sim_stat("requests") == before, "something was sent");
}

int main(void) {
  client = client_sim("");
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) there_and_back(TEXTS[i][0], TEXTS[i][1]);
  no_text();
  liter_llm_client_free(client);
  return 0;
}
