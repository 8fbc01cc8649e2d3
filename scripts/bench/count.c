/*
 * One request again and again, for counting instructions (scripts/instructions.py).
 *
 * count_c call|stream CONFIG REQUEST OPTIONS TIMES
 *
 * "call" waits in liter_llm_client_call on this thread; "stream" submits to a queue and reads it
 * until the answer's end before the next begins. It prints how many calls and how many chunks came.
 *
 * A reader that waits for each chunk is woken as chance has it, and a count with its wakes differs
 * from run to run by 1 %. So a stream is left alone for a while, in which it comes whole into the
 * queue. Where that was too short the answer is the same and only the count is less exact.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "liter_llm.h"

static const struct timespec WHILE = {0, 50000000};

/* A whole stream of the benchmark, so that it can be read at once. */
#define ROOM (1u << 20)

static uint64_t events[ROOM / sizeof(uint64_t)];

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

static void call(liter_llm_client *client, const char *request, const char *options) {
  char *document = NULL;
  size_t length = 0;
  int32_t status = liter_llm_client_call(client, request, strlen(request), options, strlen(options),
                                         &document, &length);
  if (status != LITER_LLM_OK) die(document != NULL ? document : "misuse");
  liter_llm_free(document);
}

/* Returns the chunks of one stream. */
static unsigned stream(liter_llm_client *client, liter_llm_queue *queue, uint64_t token,
                       const char *request, const char *options) {
  unsigned chunks = 0;
  if (liter_llm_submit(client, queue, token, 0, request, strlen(request), options, strlen(options)) !=
      LITER_LLM_OK)
    die("the queue refused a stream");
  nanosleep(&WHILE, NULL);
  for (;;) {
    int64_t length = liter_llm_queue_read(queue, (uint8_t *)events, sizeof events, -1);
    if (length <= 0) die("the queue brought nothing");
    for (int64_t at = 0; at < length;) {
      liter_llm_event event;
      memcpy(&event, (uint8_t *)events + at, sizeof event);
      if (event.kind == LITER_LLM_EVENT_RESULT) return chunks;
      if (event.kind != LITER_LLM_EVENT_CHUNK) die("a stream failed");
      chunks += event.count;
      at += ((int64_t)sizeof event + event.len + 7) / 8 * 8;
    }
  }
}

int main(int argc, char **argv) {
  liter_llm_client *client = NULL;
  liter_llm_queue *queue = NULL;
  unsigned long chunks = 0;
  char *error = NULL;
  if (argc != 6) die("usage: count_c call|stream CONFIG REQUEST OPTIONS TIMES");
  int times = atoi(argv[5]);
  if (liter_llm_client_new(argv[2], strlen(argv[2]), &client, &error) != LITER_LLM_OK) die(error);
  if (strcmp(argv[1], "call") == 0) {
    for (int i = 0; i < times; i++) call(client, argv[3], argv[4]);
  } else {
    if (liter_llm_queue_new(ROOM, &queue) != LITER_LLM_OK) die("no queue");
    for (int i = 0; i < times; i++) {
      chunks += stream(client, queue, (uint64_t)i + 1, argv[3], argv[4]);
    }
  }
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  printf("%d %lu\n", times, chunks);
  return 0;
}
