/*
 * inline.c - a call with SUBMIT_INLINE runs on the thread that reads its queue. It must not depend on who reads, when that starts, or what other threads cancel, submit or close meanwhile.
 */
#include "check.h"

static liter_llm_client *quick, *silent;

static void submit_inline(liter_llm_client *client, liter_llm_queue *queue, uint64_t token) {
  CHECK(submit_how(client, queue, token, LITER_LLM_SUBMIT_INLINE, HELLO, "") == 0, "submit");
}

typedef struct reader {
  liter_llm_queue *queue;
  size_t wanted;
  ends out;
} reader;

static void *reads(void *of) {
  reader *r = (reader *)of;
  uint8_t none;
  /* Who looks whether somebody reads has the queue for a moment. No room: it waits, and takes nothing. */
  while (liter_llm_queue_read(r->queue, &none, 0, 30000) == LITER_LLM_E_BUSY) continue;
  drain(r->queue, r->wanted, NULL, 0, &r->out, 30000);
  return NULL;
}

/* The reader waits before there is anything to drive. */
static void reader_first(void) {
  for (int i = 0; i < 50; i++) {
    reader r = {queue_of(0), 4, {0}};
    pthread_t thread;
    uint8_t byte;
    CHECK(pthread_create(&thread, NULL, reads, &r) == 0, "pthread_create");
    if (i % 2) {
      UNTIL(liter_llm_queue_read(r.queue, &byte, 1, 0) == LITER_LLM_E_BUSY, 10000, "no reader");
    }
    for (uint64_t token = 1; token <= 4; token++) submit_inline(quick, r.queue, token);
    pthread_join(thread, NULL);
    CHECK(r.out.results == 4, "%zu results; %s", r.out.results, r.out.error);
    liter_llm_queue_free(r.queue);
  }
}

static void *submits(void *queue) {
  static uint64_t next;
  for (int i = 0; i < 50; i++) {
    uint64_t token = __atomic_add_fetch(&next, 1, __ATOMIC_SEQ_CST);
    submit_inline(quick, (liter_llm_queue *)queue, token);
    uint64_t other = __atomic_add_fetch(&next, 1, __ATOMIC_SEQ_CST);
    CHECK(submit(silent, (liter_llm_queue *)queue, other, HELLO) == 0, "submit");
    CHECK(liter_llm_cancel((liter_llm_queue *)queue, other) == 0, "cancel");
  }
  return NULL;
}

/* Eight threads submit and cancel while one reads. */
static void many_submitters(void) {
  reader r = {queue_of(0), 800, {0}};
  pthread_t thread, others[8];
  CHECK(pthread_create(&thread, NULL, reads, &r) == 0, "pthread_create");
  for (int i = 0; i < 8; i++) {
    CHECK(pthread_create(&others[i], NULL, submits, r.queue) == 0, "pthread_create");
  }
  for (int i = 0; i < 8; i++) pthread_join(others[i], NULL);
  pthread_join(thread, NULL);
  CHECK(r.out.results == 400 && r.out.cancelled == 400, "%zu results, %zu cancelled; %s",
        r.out.results, r.out.cancelled, r.out.error);
  liter_llm_queue_free(r.queue);
}

/* Everything on one thread: nobody else will drive the call. */
static void alone(void) {
  for (int way = 0; way < 5; way++) {
    liter_llm_client *mine = client_sim("delay_ms=60000");
    liter_llm_queue *queue = queue_of(0);
    ends out = {0};
    uint8_t byte;
    submit_inline(mine, queue, 1);
    if (way % 2) CHECK(liter_llm_queue_read(queue, &byte, 1, 20) == 0, "an answer already");
    int64_t start = now_ms();
    if (way == 0) CHECK(liter_llm_cancel(queue, 1) == LITER_LLM_OK, "cancel");
    if (way == 1) CHECK(liter_llm_client_close(mine, 50) == LITER_LLM_OK, "close");
    if (way == 2) CHECK(liter_llm_queue_close(queue) == LITER_LLM_OK, "close");
    if (way == 3) CHECK(liter_llm_shutdown(5000) == LITER_LLM_OK, "shutdown");
    if (way == 4) {
      liter_llm_queue_free(queue);
    } else {
      drain(queue, 1, NULL, 0, &out, 20000);
      CHECK(out.cancelled == 1, "way %d: %s", way, out.error);
      liter_llm_queue_free(queue);
    }
    CHECK(now_ms() - start < 30000, "way %d took %lld ms", way, (long long)(now_ms() - start));
    liter_llm_client_free(mine);
  }
}

/* The reader is inside a long wait and drives the call: whoever ends it wakes the reader. */
static void ended_by_another_thread(void) {
  for (int way = 0; way < 3; way++) {
    liter_llm_client *mine = client_sim("delay_ms=60000");
    reader r = {queue_of(0), 1, {0}};
    pthread_t thread;
    submit_inline(mine, r.queue, 1);
    CHECK(pthread_create(&thread, NULL, reads, &r) == 0, "pthread_create");
    UNTIL(sim_stat("requests_open") == 1, 20000, "nobody drives it");
    int64_t start = now_ms();
    if (way == 0) CHECK(liter_llm_cancel(r.queue, 1) == LITER_LLM_OK, "cancel");
    if (way == 1) CHECK(liter_llm_queue_close(r.queue) == LITER_LLM_OK, "close");
    if (way == 2) CHECK(liter_llm_client_close(mine, 50) == LITER_LLM_OK, "close");
    pthread_join(thread, NULL);
    CHECK(r.out.cancelled == 1, "way %d: %s", way, r.out.error);
    CHECK(now_ms() - start < 15000, "way %d took %lld ms", way, (long long)(now_ms() - start));
    UNTIL(sim_stat("requests_open") == 0, 20000, "way %d: the socket stays open", way);
    liter_llm_queue_free(r.queue);
    liter_llm_client_free(mine);
  }
}

int main(void) {
  quick = client_sim("");
  silent = client_sim("delay_ms=60000");
  alone();
  ended_by_another_thread();
  reader_first();
  many_submitters();
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  liter_llm_client_free(quick);
  liter_llm_client_free(silent);
  return 0;
}
