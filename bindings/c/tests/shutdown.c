/*
 * shutdown.c - the orderly end: what is in flight gets its last event, calls that wait are answered,
 * no thread is left, and the next call starts anew, on the same client, as often as one likes.
 */
#include "check.h"

static liter_llm_client *quick, *silent;
static int waiting, ended;

static void *blocked(void *unused) {
  (void)unused;
  int32_t status;
  __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  char *document = call(silent, HELLO, &status);
  CHECK(status == LITER_LLM_FAILED, "status %d", status);
  CHECK(is_kind(document, "cancelled"), "%s", document);
  liter_llm_free(document);
  __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void with_work(void) {
  liter_llm_client *slow = client_sim("delay_ms=5,chunks=6000,interval_ms=10");
  liter_llm_queue *queue = queue_of(0);
  for (int round = 0; round < 10; round++) {
    uint8_t seen[51] = {0};
    ends out = {0};
    pthread_t threads[4];
    waiting = ended = 0;
    for (uint64_t token = 1; token <= 50; token++) {
      liter_llm_client *client = token % 2 ? slow : silent;
      CHECK(submit(client, queue, token, HELLO_STREAM) == LITER_LLM_OK, "submit");
    }
    for (int i = 0; i < 4; i++) {
      CHECK(pthread_create(&threads[i], NULL, blocked, NULL) == 0, "pthread_create");
    }
    UNTIL(sim_stat("requests_open") == 54, 30000, "%ld requests arrived", sim_stat("requests_open"));
    CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "not all stopped in time");
    UNTIL(__atomic_load_n(&ended, __ATOMIC_SEQ_CST) == 4, 30000, "calls still wait");
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    UNTIL(threads_now() == 1, 20000, "%zu threads", threads_now());
    /* All last events are there: nobody is left to bring them. */
    drain(queue, 50, seen, 50, &out, 20000);
    CHECK(out.cancelled == 50, "%zu cancelled; %s", out.cancelled, out.error);
    UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
    call_ok(quick);
    CHECK(threads_now() > 1, "no threads");
  }
  liter_llm_queue_free(queue);
  liter_llm_client_free(slow);
}

static int stop;
static uint64_t accepted;

static void *submits(void *queue) {
  for (uint64_t token = 1; token <= 400 && !__atomic_load_n(&stop, __ATOMIC_SEQ_CST); token++) {
    if (submit(quick, (liter_llm_queue *)queue, token, HELLO) == LITER_LLM_OK) accepted = token;
  }
  return NULL;
}

/* Requests that are submitted while the threads stop: each one accepted ends, once. */
static void races(void) {
  for (int round = 0; round < 30; round++) {
    liter_llm_queue *queue = queue_of(0);
    pthread_t thread;
    stop = 0;
    accepted = 0;
    CHECK(pthread_create(&thread, NULL, submits, queue) == 0, "pthread_create");
    UNTIL(liter_llm_queue_next_size(queue) > 0, 10000, "no event");
    for (int i = 0; i < 3; i++) CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    uint8_t *seen = (uint8_t *)calloc(accepted + 1, 1);
    ends out = {0};
    drain(queue, accepted, seen, accepted, &out, 30000);
    CHECK(liter_llm_queue_next_size(queue) == 0, "more events than requests");
    free(seen);
    liter_llm_queue_free(queue);
  }
}

int main(void) {
  CHECK(liter_llm_shutdown(0) == LITER_LLM_OK, "nothing was running");
  quick = client_sim("");
  silent = client_sim("delay_ms=60000");
  with_work();
  races();
  CHECK(liter_llm_client_close(quick, 1000) == LITER_LLM_OK, "close");
  CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
  CHECK(liter_llm_client_close(silent, 1000) == LITER_LLM_OK, "close without threads");
  UNTIL(threads_now() == 1, 20000, "%zu threads", threads_now());
  liter_llm_client_free(quick);
  liter_llm_client_free(silent);
  return 0;
}
