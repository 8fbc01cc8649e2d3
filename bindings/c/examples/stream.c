/*
 * stream.c - one streamed answer, read from a queue.
 *
 *   OPENAI_API_KEY=sk-... LITER_LLM_PROVIDER=openai LITER_LLM_MODEL=gpt-4.1-mini ./stream "A haiku"
 *
 * Prints each chunk document on a line of its own as it arrives, and the whole response on the last.
 * The first argument is put into the request as it is: it must not hold quotes or backslashes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liter_llm.h"

/* Prints one record. Returns 1 for the last of a request, with its exit code in *code. */
static int print_record(const liter_llm_event *event, const char *payload, int *code) {
  switch (event->kind) {
    case LITER_LLM_EVENT_CHUNK: /* event->count documents, each with its newline */
      fwrite(payload, 1, event->len, stdout);
      fflush(stdout);
      return 0;
    case LITER_LLM_EVENT_RESULT:
      printf("%.*s\n", (int)event->len, payload);
      *code = 0;
      return 1;
    case LITER_LLM_EVENT_ERROR:
      fprintf(stderr, "%.*s\n", (int)event->len, payload);
      *code = 1;
      return 1;
    default: /* kinds of later versions */
      return 0;
  }
}

/* Reads the queue until the one request on it has ended. */
static int read_to_the_end(liter_llm_queue *queue) {
  size_t cap = 65536;
  uint8_t *buf = (uint8_t *)malloc(cap);
  int code = 2, over = 0;
  while (buf != NULL && !over) {
    int64_t got = liter_llm_queue_read(queue, buf, cap, -1);
    if (got == LITER_LLM_E_SPACE) { /* an event larger than the buffer */
      free(buf);
      cap = liter_llm_queue_next_size(queue);
      buf = (uint8_t *)malloc(cap);
      continue;
    }
    if (got < 0) {
      fprintf(stderr, "liter_llm_queue_read: %" PRId64 "\n", got);
      break;
    }
    /* Whole records: a head of 32 bytes, the payload, padding to a multiple of 8. */
    for (size_t at = 0; at < (size_t)got;) {
      liter_llm_event event;
      memcpy(&event, buf + at, sizeof event);
      if (print_record(&event, (const char *)buf + at + sizeof event, &code)) over = 1;
      at += sizeof event + ((size_t)event.len + 7) / 8 * 8;
    }
  }
  free(buf);
  return code;
}

int main(int argc, char **argv) {
  const char *prompt = argc > 1 ? argv[1] : "Write a haiku about the sea.";
  char request[4096];
  int len = snprintf(request, sizeof request, "{\"prompt\":\"%s\"}", prompt);
  if (len < 0 || (size_t)len >= sizeof request) return 2;

  liter_llm_client *client = NULL;
  char *error = NULL;
  if (liter_llm_client_new(NULL, 0, &client, &error) != LITER_LLM_OK) {
    fprintf(stderr, "%s\n", error != NULL ? error : "liter_llm_client_new failed");
    liter_llm_free(error);
    return 1;
  }
  liter_llm_queue *queue = NULL;
  int32_t status = liter_llm_queue_new(0, &queue);
  if (status == LITER_LLM_OK) {
    /* Returns at once. From here on exactly one RESULT or ERROR with token 1 will come. */
    status = liter_llm_submit(client, queue, 1, LITER_LLM_SUBMIT_STREAM, request, (size_t)len, NULL,
                              0);
  }
  int code = 2;
  if (status == LITER_LLM_OK) {
    code = read_to_the_end(queue);
  } else {
    fprintf(stderr, "liter_llm_submit: %" PRId32 "\n", status);
  }
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return code;
}
