/*
 * many.c - a hundred requests in flight at once, on one thread.
 *
 *   OPENAI_API_KEY=sk-... LITER_LLM_PROVIDER=openai LITER_LLM_MODEL=gpt-4.1-mini ./many [requests]
 *
 * One queue, its descriptor in poll(2): the shape of every event loop. The token says which request
 * an event belongs to; here it is an index. Prints how many were answered, and how long it took.
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "liter_llm.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Reads what waits, without waiting. Counts answers and errors; 0 when all went well. */
static int take(liter_llm_queue *queue, uint8_t **buf, size_t *cap, int *answers, int *errors) {
  int64_t got = liter_llm_queue_read(queue, *buf, *cap, 0);
  if (got == LITER_LLM_E_SPACE) { /* grow; the event stays, and the descriptor stays readable */
    size_t need = liter_llm_queue_next_size(queue);
    uint8_t *larger = (uint8_t *)realloc(*buf, need);
    if (larger == NULL) return 1;
    *buf = larger;
    *cap = need;
    return 0;
  }
  if (got < 0) return 1;
  for (size_t at = 0; at < (size_t)got;) {
    liter_llm_event event;
    memcpy(&event, *buf + at, sizeof event);
    const char *payload = (const char *)*buf + at + sizeof event;
    if (event.kind == LITER_LLM_EVENT_RESULT) {
      (*answers)++;
    } else if (event.kind == LITER_LLM_EVENT_ERROR) {
      (*errors)++;
      fprintf(stderr, "request %d: %.*s\n", (int)event.token, (int)event.len, payload);
    }
    at += sizeof event + ((size_t)event.len + 7) / 8 * 8;
  }
  return 0;
}

int main(int argc, char **argv) {
  int wanted = argc > 1 ? atoi(argv[1]) : 100;
  double start = seconds();

  liter_llm_client *client = NULL;
  char *error = NULL;
  if (liter_llm_client_new(NULL, 0, &client, &error) != LITER_LLM_OK) {
    fprintf(stderr, "%s\n", error != NULL ? error : "liter_llm_client_new failed");
    liter_llm_free(error);
    return 1;
  }
  liter_llm_queue *queue = NULL;
  if (liter_llm_queue_new(0, &queue) != LITER_LLM_OK) return 2;

  int refused = 0;
  for (int i = 1; i <= wanted; i++) {
    char request[128];
    int len = snprintf(request, sizeof request, "{\"prompt\":\"What is %d times %d?\"}", i, i);
    if (liter_llm_submit(client, queue, (uint64_t)i, 0, request, (size_t)len, NULL, 0) != 0) refused++;
  }

  /* The descriptor is the queue's: poll it, never read or close it. */
  struct pollfd ready;
  ready.fd = liter_llm_queue_fd(queue);
  ready.events = POLLIN;
  ready.revents = 0;
  size_t cap = 65536;
  uint8_t *buf = (uint8_t *)malloc(cap);
  int answers = 0, errors = refused, failed = buf == NULL || ready.fd < 0;
  while (!failed && answers + errors < wanted) {
    if (poll(&ready, 1, -1) == 1) failed = take(queue, &buf, &cap, &answers, &errors);
  }
  printf("%d answers, %d errors, %.2f s\n", answers, errors, seconds() - start);

  free(buf);
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return failed || errors > 0;
}
