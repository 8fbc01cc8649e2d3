/*
 * doorbell.c - a doorbell rings under no lock: log records of a closed queue stop no call, a slow
 * doorbell holds up nobody else, one whose lock the caller holds is rung all the same, and one that
 * calls the library is told so.
 */
#include "check.h"

#define DEADLINE 20 /* seconds: without it a deadlock would look like a slow machine */

static liter_llm_client *client;
static liter_llm_queue *queue;
static int rings;

static void count(void *unused) {
  (void)unused;
  __atomic_add_fetch(&rings, 1, __ATOMIC_SEQ_CST);
}

static int rung(void) { return __atomic_load_n(&rings, __ATOMIC_SEQ_CST); }

/* A call that fails before anything is sent: it makes a log record, on the thread that calls. */
static void fail_once(void) {
  int32_t status;
  liter_llm_free(call(client, "{\"prompt\":7}", &status));
  CHECK(status == LITER_LLM_FAILED, "status %d", status);
}

static void drop_queue(void) {
  CHECK(liter_llm_queue_notify(queue, NULL, NULL) == 0, "notify");
  liter_llm_queue_free(queue);
}

/* A closed queue that still has a doorbell and wants logs. */
static void closed(void) {
  queue = queue_of(0);
  CHECK(liter_llm_queue_logs(queue, 1) == 0, "logs");
  CHECK(liter_llm_queue_notify(queue, count, NULL) == 0, "notify");
  fail_once();
  UNTIL(rung() == 1, 10000, "no ring for a log record");
  CHECK(liter_llm_queue_close(queue) == 0, "close");
  fail_once();
  call_ok(client);
  CHECK(rung() == 1, "%d rings", rung());
  drop_queue();
}

/* The caller holds a lock that the doorbell takes: it is rung on another thread. */
static pthread_mutex_t host = PTHREAD_MUTEX_INITIALIZER;

static void takes_lock(void *unused) {
  pthread_mutex_lock(&host);
  pthread_mutex_unlock(&host);
  count(unused);
}

static void callers_lock(void) {
  int before = rung();
  queue = queue_of(0);
  CHECK(liter_llm_queue_logs(queue, 1) == 0, "logs");
  CHECK(liter_llm_queue_notify(queue, takes_lock, NULL) == 0, "notify");
  pthread_mutex_lock(&host);
  fail_once();
  CHECK(submit_how(client, queue, 1, LITER_LLM_SUBMIT_INLINE, HELLO, "") == 0, "submit");
  CHECK(liter_llm_cancel(queue, 1) == 0, "cancel");
  CHECK(rung() == before, "the doorbell ran past its lock");
  pthread_mutex_unlock(&host);
  UNTIL(rung() > before, 10000, "no ring");
  drop_queue();
}

/* While a doorbell takes its time, the library's threads go on: more calls end than it has threads. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void waits(void *unused) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  count(unused);
}

static void slow(void) {
  int before = rung();
  ends out = {0};
  queue = queue_of(0);
  liter_llm_queue *other = queue_of(0);
  CHECK(liter_llm_queue_notify(queue, waits, NULL) == 0, "notify");
  pthread_mutex_lock(&gate);
  for (uint64_t token = 1; token <= 20; token++) {
    /* Each end empties the queue again, so that each rings. */
    CHECK(submit(client, queue, token, HELLO) == 0, "submit");
    drain(queue, 1, NULL, 0, &out, 10000);
    CHECK(out.results == 1, "%s", out.error);
  }
  CHECK(submit(client, other, 1, HELLO) == 0, "submit");
  drain(other, 1, NULL, 0, &out, 10000);
  CHECK(rung() == before, "the doorbell ran past its gate");
  pthread_mutex_unlock(&gate);
  UNTIL(rung() > before, 10000, "no ring");
  drop_queue();
  liter_llm_queue_free(other);
}

/* Each function of a handle says that a doorbell may not call it, and does nothing. */
static void calls_back(void *unused) {
  uint8_t buf[64];
  char *document = NULL;
  size_t len = 0;
  int32_t status;
  int out_len = 0;
  document = call(client, HELLO, &status);
  CHECK(status == LITER_LLM_E_BUSY && document == NULL, "call: %d", status);
  CHECK(submit(client, queue, 7, HELLO) == LITER_LLM_E_BUSY, "submit");
  CHECK(liter_llm_cancel(queue, 1) == LITER_LLM_E_BUSY, "cancel");
  CHECK(liter_llm_credit(queue, 1, 1) == LITER_LLM_E_BUSY, "credit");
  CHECK(liter_llm_queue_read(queue, buf, sizeof buf, 0) == LITER_LLM_E_BUSY, "read");
  CHECK(liter_llm_queue_fd(queue) == LITER_LLM_E_BUSY, "fd");
  CHECK(liter_llm_queue_next_size(queue) == 0, "next_size");
  CHECK(liter_llm_queue_logs(queue, 1) == LITER_LLM_E_BUSY, "logs");
  CHECK(liter_llm_queue_notify(queue, NULL, NULL) == LITER_LLM_E_BUSY, "notify");
  CHECK(liter_llm_queue_close(queue) == LITER_LLM_E_BUSY, "close");
  liter_llm_queue_free(queue);
  CHECK(liter_llm_client_metrics(client, "json", &document, &len) == LITER_LLM_E_BUSY, "metrics");
  CHECK(liter_llm_client_close(client, 0) == LITER_LLM_E_BUSY, "client_close");
  liter_llm_client_free(client);
  CHECK(liter_llm_shutdown(0) == LITER_LLM_E_BUSY, "shutdown");
  document = liter_llm_invoke(NULL, HELLO, &out_len);
  CHECK(out_len < 0 && is_kind(document, "invalid_request"), "%s", document);
  CHECK(strstr(document, "doorbell") != NULL, "%s", document);
  liter_llm_free(document);
  count(unused);
}

static void calls_library(void) {
  int before = rung();
  ends out = {0};
  queue = queue_of(0);
  CHECK(liter_llm_queue_notify(queue, calls_back, NULL) == 0, "notify");
  CHECK(submit(client, queue, 1, HELLO) == 0, "submit");
  UNTIL(rung() > before, 10000, "no ring");
  drain(queue, 1, NULL, 0, &out, 10000);
  CHECK(out.results == 1, "%s", out.error);
  drop_queue();
  call_ok(client);
}

int main(void) {
  env_sim("");
  client = client_sim("");
  alarm(DEADLINE);
  closed();
  callers_lock();
  slow();
  calls_library();
  liter_llm_client_free(client);
  CHECK(liter_llm_shutdown(10000) == 0, "shutdown");
  return 0;
}
