/*
 * big_answer.c - 30 MiB up and the same 30 MiB back, byte by byte: by a blocking call, whole through
 * a queue, and as a stream, while small requests go on beside them.
 */
#include "check.h"

#define SIZE ((size_t)30 << 20)

/* {"prompt":"…"} whose text has a pattern, so that a lost or moved part shows. */
static char *request_of(char *pattern) {
  char *request = (char *)malloc(SIZE + 64);
  CHECK(request != NULL, "no memory");
  for (size_t i = 0; i < SIZE; i++) pattern[i] = (char)('a' + (i * 2654435761U >> 16) % 26);
  pattern[SIZE] = '\0';
  snprintf(request, SIZE + 64, "{\"prompt\":\"%s\"}", pattern);
  return request;
}

/* Whether the document's "text" is the echo of the pattern, to its last byte. */
static void check_echo(const char *document, const char *pattern) {
  static const char head[] = "\"content\":\"You said: ";
  const char *found = strstr(document, head);
  CHECK(found != NULL, "%.300s", document);
  CHECK(strncmp(found + strlen(head), pattern, SIZE) == 0, "the echo differs");
  CHECK(found[strlen(head) + SIZE] == '"', "the echo is longer");
}

int main(void) {
  char *pattern = (char *)malloc(SIZE + 1);
  CHECK(pattern != NULL, "no memory");
  char *request = request_of(pattern);
  liter_llm_client *client = client_sim("");
  int32_t status;
  char *document = call(client, request, &status);
  CHECK(status == LITER_LLM_OK, "%.300s", document);
  check_echo(document, pattern);
  liter_llm_free(document);

  liter_llm_queue *queue = queue_of(0);
  CHECK(submit(client, queue, 1, request) == LITER_LLM_OK, "submit");
  for (uint64_t token = 2; token <= 101; token++) {
    CHECK(submit(client, queue, token, HELLO) == LITER_LLM_OK, "submit");
  }
  records r = {0};
  size_t ended = 0;
  while (ended < 101) {
    liter_llm_event event;
    char *payload;
    CHECK(read_records(queue, &r, 60000) > 0, "no event for a minute");
    while (next_record(&r, &event, &payload)) {
      CHECK(event.kind == LITER_LLM_EVENT_RESULT, "%.300s", payload);
      if (event.token == 1) check_echo(payload, pattern);
      free(payload);
      ended++;
    }
  }
  free_records(&r);

  liter_llm_client *streaming = client_sim("bytes=31457280,chunks=3000");
  ends out = {0};
  CHECK(submit(streaming, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
  drain(queue, 1, NULL, 0, &out, 60000);
  CHECK(out.results == 1 && out.chunks >= 3000 && out.payload > 2 * SIZE, "%llu bytes; %s",
        (unsigned long long)out.payload, out.error); /* as chunks, and as a whole */

  liter_llm_queue_free(queue);
  liter_llm_client_free(streaming);
  liter_llm_client_free(client);
  free(request);
  free(pattern);
  return 0;
}
