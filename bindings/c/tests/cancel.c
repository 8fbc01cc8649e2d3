/*
 * cancel.c - whenever a request is cancelled, exactly one last event comes, its socket closes long
 * before the answer would come, and nothing of it stays behind.
 */
#include "check.h"

#define REQUESTS 400

static liter_llm_queue *queue;

/* Cancels every token, from one end or the other. */
static void *canceller(void *backwards) {
  for (uint64_t i = 1; i <= REQUESTS; i++) {
    uint64_t token = backwards ? REQUESTS + 1 - i : i;
    CHECK(liter_llm_cancel(queue, token) == LITER_LLM_OK, "cancel");
  }
  return NULL;
}

/* Submits while two threads cancel, and ends when all have ended. */
static void storm(liter_llm_client *client) {
  uint8_t seen[REQUESTS + 1] = {0};
  pthread_t threads[2];
  ends out = {0};
  for (uint64_t token = 1; token <= REQUESTS / 2; token++) {
    CHECK(submit(client, queue, token, HELLO_STREAM) == LITER_LLM_OK, "submit");
  }
  CHECK(pthread_create(&threads[0], NULL, canceller, NULL) == 0, "pthread_create");
  CHECK(pthread_create(&threads[1], NULL, canceller, queue) == 0, "pthread_create");
  for (uint64_t token = REQUESTS / 2 + 1; token <= REQUESTS; token++) {
    CHECK(submit(client, queue, token, token % 2 ? HELLO : HELLO_STREAM) == LITER_LLM_OK, "submit");
  }
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  canceller(NULL); /* those that were submitted too late, and once more all others */
  drain(queue, REQUESTS, seen, REQUESTS, &out, 30000);
  CHECK(out.cancelled == REQUESTS, "%zu of %d cancelled", out.cancelled, REQUESTS);
  UNTIL(sim_stat("requests_open") == 0, 20000, "%ld sockets stay open", sim_stat("requests_open"));
}

int main(void) {
  queue = queue_of(0);
  /* Streams that would take a minute, and answers that would. */
  liter_llm_client *slow = client_sim("delay_ms=10,chunks=6000,interval_ms=10");
  liter_llm_client *silent = client_sim("delay_ms=60000");
  storm(slow);
  storm(silent);
  size_t heap = heap_now();
  for (int round = 0; round < (SANITIZED ? 2 : 6); round++) storm(round % 2 ? slow : silent);
  UNTIL(heap_now() < heap + (512 << 10), 20000, "the heap grew from %zu to %zu bytes", heap, heap_now());

  /* Unknown tokens, NULL, and after the end: nothing happens. */
  CHECK(liter_llm_cancel(NULL, 1) == LITER_LLM_E_ARGUMENT, "no queue");
  CHECK(liter_llm_cancel(queue, 0) == LITER_LLM_OK, "token 0");
  CHECK(liter_llm_collect(NULL, 1) == LITER_LLM_E_ARGUMENT, "no queue");
  CHECK(liter_llm_collect(queue, 987654321) == LITER_LLM_OK, "unknown token");
  CHECK(liter_llm_cancel(queue, 987654321) == LITER_LLM_OK, "unknown token");
  liter_llm_client *quick = client_sim("");
  for (int i = 0; i < 200; i++) {
    /* The token is used again at once: its cancel must meet the new request, not the old one. */
    ends out = {0};
    CHECK(submit(quick, queue, 7, HELLO) == LITER_LLM_OK, "submit");
    drain(queue, 1, NULL, 0, &out, 10000);
    CHECK(out.results == 1, "no result");
    CHECK(liter_llm_cancel(queue, 7) == LITER_LLM_OK, "after the end");
    CHECK(submit(silent, queue, 7, HELLO) == LITER_LLM_OK, "submit");
    CHECK(liter_llm_cancel(queue, 7) == LITER_LLM_OK, "cancel");
    drain(queue, 1, NULL, 0, &out, 10000);
    CHECK(out.cancelled == 1, "%zu results, error %s", out.results, out.error);
  }
  CHECK(liter_llm_queue_next_size(queue) == 0, "something is left");
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");

  liter_llm_queue_free(queue);
  liter_llm_client_free(slow);
  liter_llm_client_free(silent);
  liter_llm_client_free(quick);
  return 0;
}
