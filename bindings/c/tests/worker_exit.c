/*
 * worker_exit.c - threads of the host that end while their work is in flight: what they submitted is
 * answered all the same, nothing of theirs stays, and calls from their last destructors are answered.
 */
#include "check.h"

#define WORKERS 30
#define ROUNDS (SANITIZED ? 2 : 10)

static liter_llm_client *slow, *quick;
static liter_llm_queue *shared;
static pthread_key_t key;
static int last_calls;

/* Submits two requests, and is gone before they are answered. */
static void *submits_and_ends(void *number) {
  uint64_t token = 2 * (uint64_t)(uintptr_t)number + 1;
  CHECK(submit(slow, shared, token, HELLO) == LITER_LLM_OK, "submit");
  CHECK(submit(slow, shared, token + 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
  if (token % 4 == 1) pthread_exit(NULL);
  return NULL;
}

static void gone(void) {
  uint8_t seen[2 * WORKERS + 1] = {0};
  ends out = {0};
  for (uintptr_t i = 0; i < WORKERS; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, submits_and_ends, (void *)i) == 0, "pthread_create");
    CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
  }
  drain(shared, 2 * WORKERS, seen, 2 * WORKERS, &out, 60000);
  CHECK(out.results == 2 * WORKERS, "%zu results; %s", out.results, out.error);
}

/* Runs after the thread's function, and after the destructors of the library's own thread-local data. */
static void at_thread_end(void *unused) {
  (void)unused;
  ends out = {0};
  call_ok(quick);
  liter_llm_queue *queue = queue_of(0);
  CHECK(submit(quick, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
  drain(queue, 1, NULL, 0, &out, 10000);
  CHECK(out.results == 1, "%s", out.error);
  liter_llm_queue_free(queue);
  __atomic_add_fetch(&last_calls, 1, __ATOMIC_SEQ_CST);
}

static void *calls_at_its_end(void *first) {
  CHECK(pthread_setspecific(key, &key) == 0, "pthread_setspecific");
  if (first != NULL) call_ok(quick); /* else the destructor's call is the thread's first */
  return NULL;
}

/* Not under the leak checker: glibc loses 32 bytes of its own for each thread-local object that is
 * first used so late. */
static void destructors(void) {
  if (SANITIZED) return;
  CHECK(pthread_key_create(&key, at_thread_end) == 0, "pthread_key_create");
  for (int i = 0; i < 40; i++) {
    pthread_t thread;
    void *first = i % 2 ? &key : NULL;
    CHECK(pthread_create(&thread, NULL, calls_at_its_end, first) == 0, "pthread_create");
    CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
  }
  CHECK(last_calls == 40, "%d calls from destructors", last_calls);
  last_calls = 0;
  CHECK(pthread_key_delete(key) == 0, "pthread_key_delete");
}

int main(void) {
  slow = client_sim("delay_ms=20,chunks=4,interval_ms=5");
  quick = client_sim("");
  shared = queue_of(0);
  for (int i = 0; i < ROUNDS; i++) gone();
  destructors();
  size_t heap = heap_now(), threads = threads_now(), fds = fds_now();
  for (int i = 0; i < ROUNDS; i++) gone();
  destructors();
  UNTIL(heap_now() <= heap + (512 << 10), 20000, "the heap grew from %zu to %zu", heap, heap_now());
  UNTIL(threads_now() <= threads, 20000, "%zu threads, %zu before", threads_now(), threads);
  UNTIL(fds_now() <= fds + 8, 20000, "%zu descriptors, %zu before", fds_now(), fds);
  liter_llm_queue_free(shared);
  liter_llm_client_free(slow);
  liter_llm_client_free(quick);
  return 0;
}
