/* C's part of the demo; see ask.py. The question must not hold quotes or backslashes. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "liter_llm.h"

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

/* One blocking call. */
static void chat(liter_llm_client *client, const char *request, size_t length) {
  char *document = NULL;
  size_t size = 0;
  double started = now_ms();
  int32_t status = liter_llm_client_call(client, request, length, NULL, 0, &document, &size);
  if (status != LITER_LLM_OK) die(document != NULL ? document : "liter_llm_client_call");
  printf("{\"chat\":%s,\"chat_ms\":%.3f", document, now_ms() - started);
  liter_llm_free(document);
}

/* How many of an event's chunk documents, a line each, have text. */
static int texts(const char *documents, size_t length) {
  static const char with[] = "\"content\":\"", without[] = "\"content\":\"\"";
  int found = 0;
  for (size_t at = 0; at + sizeof without - 1 <= length; at++) {
    if (memcmp(documents + at, with, sizeof with - 1) == 0 &&
        memcmp(documents + at, without, sizeof without - 1) != 0)
      found++;
  }
  return found;
}

/* One stream, read from a queue. */
static void stream(liter_llm_client *client, const char *request, size_t length) {
  static uint8_t buffer[1 << 20];
  liter_llm_queue *queue = NULL;
  double started = now_ms(), first = 0;
  int chunks = 0, over = 0;
  if (liter_llm_queue_new(0, &queue) != LITER_LLM_OK) die("liter_llm_queue_new");
  if (liter_llm_submit(client, queue, 1, LITER_LLM_SUBMIT_STREAM, request, length, NULL, 0) !=
      LITER_LLM_OK)
    die("liter_llm_submit");
  while (!over) {
    int64_t got = liter_llm_queue_read(queue, buffer, sizeof buffer, -1);
    if (got < 0) die("liter_llm_queue_read");
    for (size_t at = 0; at < (size_t)got;) {
      liter_llm_event event;
      memcpy(&event, buffer + at, sizeof event);
      const char *payload = (const char *)buffer + at + sizeof event;
      if (event.kind == LITER_LLM_EVENT_CHUNK) {
        chunks += texts(payload, event.len);
        if (chunks > 0 && first == 0) first = now_ms() - started;
      } else if (event.kind == LITER_LLM_EVENT_RESULT) {
        printf(",\"stream\":%.*s,\"chunks\":%d,\"first_ms\":%.3f,\"stream_ms\":%.3f}\n",
               (int)event.len, payload, chunks, first, now_ms() - started);
        over = 1;
      } else {
        fprintf(stderr, "%.*s\n", (int)event.len, payload);
        exit(1);
      }
      at += sizeof event + ((size_t)event.len + 7) / 8 * 8;
    }
  }
  liter_llm_queue_free(queue);
}

int main(int argc, char **argv) {
  liter_llm_client *client = NULL;
  char *error = NULL, request[4096];
  if (argc < 3) die("usage: ask QUESTION PROVIDER/MODEL...");
  if (liter_llm_client_new(NULL, 0, &client, &error) != LITER_LLM_OK) die(error);
  for (int i = 2; i < argc; i++) {
    int length = snprintf(request, sizeof request,
                          "{\"model\":\"%s\",\"prompt\":\"%s\",\"max_tokens\":200}", argv[i],
                          argv[1]);
    if (length < 0 || (size_t)length >= sizeof request) die("the question is too long");
    chat(client, request, (size_t)length);
    stream(client, request, (size_t)length);
  }
  liter_llm_client_free(client);
  return 0;
}
