/*
 * closed_client.c - a closed client refuses what is new with a status or a document that says so, ends
 * what runs with its one last event, and may be closed again and freed in any order with its queue.
 */
#include "check.h"

#define CALLERS 8

/* Every function that takes a client, after its end: no crash, nothing sent. */
static void refuses(liter_llm_client *closed, liter_llm_queue *queue) {
  long before = sim_stat("requests");
  int32_t status;
  char *document = call(closed, HELLO, &status);
  CHECK(status == LITER_LLM_FAILED || status == LITER_LLM_E_CLOSED, "a call answered %d", status);
  if (status == LITER_LLM_FAILED) {
    CHECK(is_kind(document, "cancelled") && strstr(document, "closed") != NULL, "%s", document);
    liter_llm_free(document);
  }
  for (int i = 0; i < 2; i++) {
    int32_t answer = submit(closed, queue, 1, i ? HELLO_STREAM : HELLO);
    CHECK(answer == LITER_LLM_E_CLOSED, "submit answered %d", answer);
  }
  CHECK(liter_llm_queue_next_size(queue) == 0, "a refused request left an event");
  size_t len = 0;
  CHECK(liter_llm_client_metrics(closed, "json", &document, &len) == LITER_LLM_OK, "metrics");
  CHECK(strstr(document, "\"in_flight\":0") != NULL, "%s", document);
  liter_llm_free(document);
  CHECK(liter_llm_client_close(closed, 0) == LITER_LLM_OK, "close again");
  CHECK(sim_stat("requests") == before, "a closed client sent a request");
}

static void *waits(void *client) {
  int32_t status;
  char *document = call((liter_llm_client *)client, HELLO, &status);
  CHECK(status == LITER_LLM_FAILED && is_kind(document, "cancelled"), "%d %s", status, document);
  liter_llm_free(document);
  return NULL;
}

/* Calls, requests and streams that run when another thread closes. */
static void in_flight(liter_llm_queue *queue) {
  liter_llm_client *silent = client_sim("delay_ms=60000");
  pthread_t callers[CALLERS];
  uint8_t seen[21] = {0};
  ends out = {0};
  for (int i = 0; i < CALLERS; i++) {
    CHECK(pthread_create(&callers[i], NULL, waits, silent) == 0, "pthread_create");
  }
  for (uint64_t token = 1; token <= 20; token++) {
    CHECK(submit(silent, queue, token, token % 2 ? HELLO : HELLO_STREAM) == LITER_LLM_OK, "submit");
  }
  UNTIL(sim_stat("requests_open") == CALLERS + 20, 30000, "%ld arrived", sim_stat("requests_open"));
  CHECK(liter_llm_client_close(silent, 0) == LITER_LLM_OK, "close");
  for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
  drain(queue, 20, seen, 20, &out, 10000);
  CHECK(out.cancelled == 20, "%zu of 20 cancelled; %s", out.cancelled, out.error);
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  refuses(silent, queue);
  liter_llm_client_free(silent);
}

static void *submits(void *client) {
  liter_llm_queue *queue = queue_of(0);
  uint64_t accepted = 0;
  ends out = {0};
  for (;;) {
    int32_t status = submit((liter_llm_client *)client, queue, accepted + 1, HELLO);
    if (status == LITER_LLM_E_CLOSED) break;
    CHECK(status == LITER_LLM_OK, "submit answered %d", status);
    accepted++;
    drain(queue, 1, NULL, 0, &out, 10000);
    CHECK(out.results + out.cancelled == 1, "%s", out.error);
  }
  CHECK(liter_llm_queue_next_size(queue) == 0, "more events than requests");
  liter_llm_queue_free(queue);
  return NULL;
}

/* Submits of four threads meet the close; what was accepted ends, and once. */
static void races(void) {
  for (int round = 0; round < (SANITIZED ? 10 : 50); round++) {
    liter_llm_client *client = client_sim("");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
      CHECK(pthread_create(&threads[i], NULL, submits, client) == 0, "pthread_create");
    }
    if (round % 2) call_ok(client); /* else while the threads start */
    CHECK(liter_llm_client_close(client, round % 3 ? 0 : 1000) == LITER_LLM_OK, "close");
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    liter_llm_client_free(client);
  }
}

/* Within the grace, what runs is answered. */
static void grace(liter_llm_queue *queue) {
  liter_llm_client *client = client_sim("delay_ms=200");
  ends out = {0};
  CHECK(submit(client, queue, 1, HELLO) == LITER_LLM_OK, "submit");
  CHECK(liter_llm_client_close(client, 30000) == LITER_LLM_OK, "close");
  drain(queue, 1, NULL, 0, &out, 10000);
  CHECK(out.results == 1, "%s", out.error);
  refuses(client, queue);
  liter_llm_client_free(client);
}

/* What was accepted is in flight from then on, also where no thread has taken it up yet. */
static void grace_at_once(liter_llm_queue *queue) {
  for (int round = 0; round < 20; round++) {
    liter_llm_client *client = client_sim("");
    uint8_t seen[51] = {0};
    ends out = {0};
    for (uint64_t token = 1; token <= 50; token++) {
      CHECK(submit(client, queue, token, HELLO) == LITER_LLM_OK, "submit");
    }
    CHECK(liter_llm_client_close(client, 30000) == LITER_LLM_OK, "close");
    drain(queue, 50, seen, 50, &out, 10000);
    CHECK(out.results == 50, "%zu of 50 answered; %s", out.results, out.error);
    liter_llm_client_free(client);
  }
}

static int answered;

static void *submits_once(void *client) {
  liter_llm_queue *queue = queue_of(0);
  ends out = {0};
  CHECK(submit((liter_llm_client *)client, queue, 1, HELLO) == LITER_LLM_OK, "submit");
  drain(queue, 1, NULL, 0, &out, 30000);
  CHECK(out.results == 1, "%s", out.error);
  __atomic_store_n(&answered, 1, __ATOMIC_SEQ_CST);
  liter_llm_queue_free(queue);
  return NULL;
}

static int in_flight_now(liter_llm_client *client) {
  char *metrics = NULL;
  size_t len = 0;
  CHECK(liter_llm_client_metrics(client, "json", &metrics, &len) == LITER_LLM_OK, "metrics");
  int some = strstr(metrics, "\"in_flight\":0") == NULL;
  liter_llm_free(metrics);
  return some;
}

/* A process' first request, whose threads still start as its client is closed. */
static void grace_at_the_start(void) {
  for (int round = 0; round < 50; round++) {
    __atomic_store_n(&answered, 0, __ATOMIC_SEQ_CST);
    liter_llm_client *client = client_sim("delay_ms=5");
    pthread_t thread;
    CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
    CHECK(pthread_create(&thread, NULL, submits_once, client) == 0, "pthread_create");
    /* Without a pause. On a busy machine this thread may sleep until the answer was there. */
    for (int64_t until = now_ms() + 30000; !in_flight_now(client);) {
      if (__atomic_load_n(&answered, __ATOMIC_SEQ_CST)) break;
      CHECK(now_ms() < until, "nothing is submitted");
    }
    CHECK(liter_llm_client_close(client, 30000) == LITER_LLM_OK, "close");
    pthread_join(thread, NULL);
    liter_llm_client_free(client);
  }
}

int main(void) {
  liter_llm_queue *queue = queue_of(0);
  liter_llm_client *idle = client_sim(""), *used = client_sim("");
  CHECK(liter_llm_client_close(idle, 0) == LITER_LLM_OK, "close of a client that did nothing");
  call_ok(used);
  CHECK(liter_llm_client_close(used, 1000) == LITER_LLM_OK, "close");
  refuses(idle, queue);
  refuses(used, queue);
  in_flight(queue);
  grace(queue);
  grace_at_once(queue);
  grace_at_the_start();
  races();

  /* A client's end while its stream is unread: the events outlive it. */
  liter_llm_client *streaming = client_sim("chunks=1000,bytes=8000000");
  ends out = {0};
  CHECK(submit(streaming, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
  UNTIL(liter_llm_queue_next_size(queue) > 0, 10000, "no event");
  liter_llm_client_free(streaming);
  drain(queue, 1, NULL, 0, &out, 10000);
  CHECK(out.cancelled == 1, "%s", out.error);
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");

  liter_llm_client_free(idle);
  liter_llm_client_free(used);
  liter_llm_queue_free(queue);
  return 0;
}
