/*
 * cancel_storm.c - cancels that race with answers: eight threads submit and cancel at every stage
 * while others cancel from outside and the heap is moved about. Each request ends exactly once, and
 * what was not cancelled is answered.
 */
#include "check.h"

#define THREADS 8
#define ROUNDS (SANITIZED ? 5 : 30)
#define REQUESTS 60

static liter_llm_client *client;
static liter_llm_queue *queues[THREADS];
static int stop;

/* Cancels whatever may run, odd tokens only, on all queues. */
static void *cancels(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    for (int i = 0; i < THREADS; i++) {
      for (uint64_t token = 1; token <= REQUESTS; token += 2) {
        CHECK(liter_llm_cancel(queues[i], token) == LITER_LLM_OK, "cancel");
      }
    }
    poll(NULL, 0, 1);
  }
  return NULL;
}

/* What a host with a busy allocator does: what is freed twice or used late does not stay unseen. */
static void *churns(void *unused) {
  (void)unused;
  char *blocks[64] = {0};
  for (size_t i = 0; !__atomic_load_n(&stop, __ATOMIC_SEQ_CST); i++) {
    size_t size = 16 + i * 37 % 100000;
    free(blocks[i % 64]);
    blocks[i % 64] = (char *)malloc(size);
    memset(blocks[i % 64], 0xa5, size);
    if (i % 1000 == 0) malloc_trim(0);
  }
  for (int i = 0; i < 64; i++) free(blocks[i]);
  return NULL;
}

static void *storm(void *number) {
  liter_llm_queue *queue = queues[(uintptr_t)number];
  for (int round = 0; round < ROUNDS; round++) {
    uint8_t seen[REQUESTS + 1] = {0};
    ends out = {0};
    for (uint64_t token = 1; token <= REQUESTS; token++) {
      CHECK(submit(client, queue, token, token % 4 < 2 ? HELLO : HELLO_STREAM) == 0, "submit");
      if (token % 6 == 1) CHECK(liter_llm_cancel(queue, token) == LITER_LLM_OK, "cancel");
    }
    if (round % 3 == 0) UNTIL(liter_llm_queue_next_size(queue) > 0, 10000, "no event");
    for (uint64_t token = 1; token <= REQUESTS; token += 2) {
      CHECK(liter_llm_cancel(queue, token) == LITER_LLM_OK, "cancel");
    }
    drain(queue, REQUESTS, seen, REQUESTS, &out, 30000);
    CHECK(out.errors == out.cancelled && out.results >= REQUESTS / 2, "%zu results; %s",
          out.results, out.error);
    CHECK(liter_llm_queue_next_size(queue) == 0, "more events than requests");
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS], others[2];
  client = client_sim("delay_ms=2,chunks=4,interval_ms=1");
  call_ok(client);
  size_t running = threads_now();
  for (int i = 0; i < THREADS; i++) queues[i] = queue_of(0);
  CHECK(pthread_create(&others[0], NULL, cancels, NULL) == 0, "pthread_create");
  CHECK(pthread_create(&others[1], NULL, churns, NULL) == 0, "pthread_create");
  for (uintptr_t i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, storm, (void *)i) == 0, "pthread_create");
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 2; i++) pthread_join(others[i], NULL);
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  UNTIL(threads_now() <= running + 1, 20000, "%zu threads, %zu before", threads_now(), running);
  call_ok(client);
  for (int i = 0; i < THREADS; i++) liter_llm_queue_free(queues[i]);
  liter_llm_client_free(client);
  return 0;
}
