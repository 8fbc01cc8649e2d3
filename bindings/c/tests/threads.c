/*
 * threads.c - 64 threads share one client: blocking calls, submits on a queue of each thread's own,
 * and submits of all threads on one queue that a single thread reads.
 */
#include "check.h"

#define THREADS 64
#define ROUNDS (SANITIZED ? 5 : 20)

static liter_llm_client *client;
static liter_llm_queue *shared;

static void *blocking(void *unused) {
  (void)unused;
  for (int i = 0; i < ROUNDS; i++) call_ok(client);
  return NULL;
}

static void *own_queue(void *unused) {
  (void)unused;
  liter_llm_queue *queue = queue_of(0);
  for (int i = 0; i < ROUNDS; i++) {
    uint8_t seen[9] = {0};
    ends out = {0};
    for (uint64_t token = 1; token <= 8; token++) {
      const char *request = token % 2 ? HELLO : HELLO_STREAM;
      CHECK(submit(client, queue, token, request) == LITER_LLM_OK, "submit");
    }
    drain(queue, 8, seen, 8, &out, 60000);
    CHECK(out.results == 8 && out.chunks >= 8, "%zu results, %zu chunks", out.results, out.chunks);
  }
  liter_llm_queue_free(queue);
  return NULL;
}

static void *submits(void *number) {
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t token = (uint64_t)(uintptr_t)number * (uint64_t)ROUNDS + (uint64_t)i + 1;
    CHECK(submit(client, shared, token, i % 2 ? HELLO : HELLO_STREAM) == LITER_LLM_OK, "submit");
  }
  return NULL;
}

static void all(pthread_t *threads, void *(*body)(void *)) {
  for (uintptr_t i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, body, (void *)i) == 0, "pthread_create");
  }
}

static void join(pthread_t *threads) {
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

int main(void) {
  pthread_t threads[THREADS];
  client = client_sim("");
  all(threads, blocking);
  join(threads);
  all(threads, own_queue);
  join(threads);

  shared = queue_of(0);
  uint64_t total = (uint64_t)THREADS * (uint64_t)ROUNDS;
  uint8_t *seen = (uint8_t *)calloc(total + 1, 1);
  ends out = {0};
  all(threads, submits);
  drain(shared, total, seen, total, &out, 60000);
  join(threads);
  CHECK(out.results == total, "%zu results of %llu", out.results, (unsigned long long)total);
  UNTIL(threads_now() <= 1 + 2 + (size_t)sysconf(_SC_NPROCESSORS_ONLN), 20000, "%zu threads",
        threads_now());
  free(seen);
  liter_llm_queue_free(shared);
  liter_llm_client_free(client);
  return 0;
}
