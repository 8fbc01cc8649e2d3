/*
 * queue.c - what the reader of a queue relies on: sizes, time limits, the descriptor's level, one
 * reader at a time, close and free at any moment, and a doorbell that is silent once it is taken off.
 */
#include "check.h"

static liter_llm_client *quick, *silent;

static int readable(liter_llm_queue *queue) {
  struct pollfd ready = {liter_llm_queue_fd(queue), POLLIN, 0};
  CHECK(ready.fd >= 0, "no descriptor: %d", ready.fd);
  CHECK(poll(&ready, 1, 0) >= 0, "poll");
  return (ready.revents & POLLIN) != 0;
}

static void wait_readable(liter_llm_queue *queue) {
  struct pollfd ready = {liter_llm_queue_fd(queue), POLLIN, 0};
  CHECK(poll(&ready, 1, 10000) == 1, "no event for ten seconds");
}

static long in_flight(liter_llm_client *client) {
  char *metrics = NULL;
  size_t len = 0;
  CHECK(liter_llm_client_metrics(client, "json", &metrics, &len) == 0, "metrics");
  long value = atol(strstr(metrics, "\"in_flight\":") + 12);
  liter_llm_free(metrics);
  return value;
}

/* Exactly one event in one read. */
static void read_one(liter_llm_queue *queue, uint32_t kind) {
  uint8_t buf[8192];
  liter_llm_event event;
  size_t need = liter_llm_queue_next_size(queue);
  CHECK(need > sizeof event && need <= sizeof buf && need % 8 == 0, "next_size %zu", need);
  CHECK(liter_llm_queue_read(queue, buf, need - 1, 0) == LITER_LLM_E_SPACE, "a byte too few");
  CHECK(liter_llm_queue_next_size(queue) == need, "E_SPACE took something");
  CHECK(liter_llm_queue_read(queue, buf, need, 0) == (int64_t)need, "read");
  memcpy(&event, buf, sizeof event);
  CHECK(event.kind == kind, "kind %u", event.kind);
}

static void space_and_level(void) {
  liter_llm_queue *queue = queue_of(0);
  uint8_t byte;
  CHECK(!readable(queue) && liter_llm_queue_next_size(queue) == 0, "a new queue is not empty");
  int64_t start = now_ms();
  CHECK(liter_llm_queue_read(queue, &byte, 1, 0) == 0, "timeout 0");
  CHECK(liter_llm_queue_read(queue, &byte, 1, 50) == 0, "timeout 50");
  CHECK(now_ms() - start >= 50, "it did not wait");
  for (uint64_t token = 1; token <= 3; token++) {
    CHECK(submit(quick, queue, token, HELLO) == LITER_LLM_OK, "submit");
  }
  /* Partial reads leave the descriptor readable until nothing is left. */
  for (int i = 0; i < 3; i++) {
    wait_readable(queue);
    CHECK(liter_llm_queue_read(queue, &byte, 0, -1) == LITER_LLM_E_SPACE, "no room at all");
    CHECK(readable(queue), "E_SPACE lowered the descriptor");
    read_one(queue, LITER_LLM_EVENT_RESULT);
  }
  CHECK(!readable(queue) && liter_llm_queue_next_size(queue) == 0, "something is left");
  liter_llm_queue_free(queue);

  /* A descriptor asked for late shows what waits already. */
  queue = queue_of(0);
  CHECK(submit(quick, queue, 1, HELLO) == LITER_LLM_OK, "submit");
  UNTIL(liter_llm_queue_next_size(queue) > 0, 10000, "no event");
  CHECK(readable(queue) && liter_llm_queue_fd(queue) == liter_llm_queue_fd(queue), "late");
  read_one(queue, LITER_LLM_EVENT_RESULT);
  CHECK(!readable(queue), "level");
  liter_llm_queue_free(queue);
}

static void *read_to_close(void *queue) {
  static uint8_t buf[65536];
  int64_t got;
  do { /* who looks whether it reads has the queue for a moment */
    got = liter_llm_queue_read((liter_llm_queue *)queue, buf, sizeof buf, -1);
  } while (got == LITER_LLM_E_BUSY);
  return (void *)(intptr_t)got;
}

static void busy_and_close(void) {
  for (int i = 0; i < 50; i++) {
    liter_llm_queue *queue = queue_of(0);
    pthread_t reader;
    void *answer;
    uint8_t buf[64];
    CHECK(pthread_create(&reader, NULL, read_to_close, queue) == 0, "pthread_create");
    UNTIL(liter_llm_queue_read(queue, buf, sizeof buf, 0) == LITER_LLM_E_BUSY, 10000, "not busy");
    CHECK(liter_llm_queue_close(queue) == LITER_LLM_OK, "close");
    pthread_join(reader, &answer);
    CHECK((intptr_t)answer == LITER_LLM_E_CLOSED, "the reader got %ld", (long)(intptr_t)answer);
    CHECK(liter_llm_queue_read(queue, buf, sizeof buf, -1) == LITER_LLM_E_CLOSED, "closed");
    CHECK(readable(queue), "a closed queue is readable");
    CHECK(submit(quick, queue, 1, HELLO) == LITER_LLM_E_CLOSED, "submit on a closed queue");
    CHECK(liter_llm_queue_close(queue) == LITER_LLM_OK, "close twice");
    liter_llm_queue_free(queue);
  }
  /* Closed with work: its last events can still be read, then the end. */
  liter_llm_queue *queue = queue_of(0);
  uint8_t seen[21] = {0};
  ends out = {0};
  for (uint64_t token = 1; token <= 20; token++) {
    CHECK(submit(silent, queue, token, HELLO) == LITER_LLM_OK, "submit");
  }
  CHECK(liter_llm_queue_close(queue) == LITER_LLM_OK, "close");
  drain(queue, 20, seen, 20, &out, 10000);
  CHECK(out.cancelled == 20, "%zu cancelled", out.cancelled);
  uint8_t byte;
  CHECK(liter_llm_queue_read(queue, &byte, 1, -1) == LITER_LLM_E_CLOSED, "not over");
  CHECK(readable(queue), "the end is not readable");
  liter_llm_queue_free(queue);
}

static void merged_chunks(void) {
  liter_llm_client *client = client_sim("chunks=300,bytes=3000");
  liter_llm_queue *queue = queue_of(0);
  ends out = {0};
  CHECK(submit(client, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
  UNTIL(liter_llm_queue_next_size(queue) > 0 && in_flight(client) == 0, 10000, "no end");
  drain(queue, 1, NULL, 0, &out, 10000);
  CHECK(out.chunks >= 300 && out.chunk_events * 10 < out.chunks, "%zu chunks in %zu events",
        out.chunks, out.chunk_events);
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
}

/* What a doorbell is given. */
typedef struct bell {
  int rings, inside, hold;
} bell;

static void ring(void *user_data) {
  bell *b = (bell *)user_data;
  __atomic_store_n(&b->inside, 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&b->rings, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&b->hold, __ATOMIC_SEQ_CST)) poll(NULL, 0, 1);
  __atomic_store_n(&b->inside, 0, __ATOMIC_SEQ_CST);
}

static int rings(bell *b) { return __atomic_load_n(&b->rings, __ATOMIC_SEQ_CST); }

static void doorbell_rings(void) {
  bell b = {0, 0, 0};
  liter_llm_queue *queue = queue_of(0);
  CHECK(liter_llm_queue_notify(queue, ring, &b) == LITER_LLM_OK, "notify");
  for (uint64_t token = 1; token <= 5; token++) {
    CHECK(submit(quick, queue, token, HELLO) == LITER_LLM_OK, "submit");
  }
  UNTIL(in_flight(quick) == 0 && rings(&b) > 0, 10000, "no ring");
  CHECK(rings(&b) == 1, "%d rings for one change from empty", rings(&b));
  read_one(queue, LITER_LLM_EVENT_RESULT);
  UNTIL(rings(&b) == 2, 10000, "what is left does not ring again");
  ends out = {0};
  drain(queue, 4, NULL, 0, &out, 10000);
  int before = rings(&b);
  CHECK(submit(quick, queue, 6, HELLO) == LITER_LLM_OK, "submit");
  UNTIL(rings(&b) > before, 10000, "no ring after it was empty again");
  drain(queue, 1, NULL, 0, &out, 10000);
  CHECK(liter_llm_queue_notify(queue, NULL, NULL) == LITER_LLM_OK, "notify");

  /* Set while events wait, it rings at once; it survives a shutdown. */
  CHECK(submit(quick, queue, 7, HELLO) == LITER_LLM_OK, "submit");
  UNTIL(liter_llm_queue_next_size(queue) > 0, 10000, "no event");
  before = rings(&b);
  CHECK(liter_llm_queue_notify(queue, ring, &b) == LITER_LLM_OK, "notify");
  UNTIL(rings(&b) > before, 10000, "no ring for what waits");
  before = rings(&b);
  read_one(queue, LITER_LLM_EVENT_RESULT);
  CHECK(submit(silent, queue, 8, HELLO) == LITER_LLM_OK, "submit");
  CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
  UNTIL(rings(&b) > before, 10000, "no ring from a shutdown");
  read_one(queue, LITER_LLM_EVENT_ERROR);
  liter_llm_queue_free(queue);
}

static liter_llm_queue *barrier_queue;
static bell *barrier_bell;
static int returned;

static void *take_off(void *unused) {
  (void)unused;
  CHECK(liter_llm_queue_notify(barrier_queue, NULL, NULL) == LITER_LLM_OK, "notify");
  CHECK(!__atomic_load_n(&barrier_bell->inside, __ATOMIC_SEQ_CST), "it still rings");
  __atomic_store_n(&returned, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void doorbell_barrier(void) {
  pthread_t thread;
  barrier_queue = queue_of(0);
  barrier_bell = (bell *)calloc(1, sizeof *barrier_bell);
  barrier_bell->hold = 1;
  CHECK(liter_llm_queue_notify(barrier_queue, ring, barrier_bell) == LITER_LLM_OK, "notify");
  CHECK(submit(quick, barrier_queue, 1, HELLO) == LITER_LLM_OK, "submit");
  UNTIL(__atomic_load_n(&barrier_bell->inside, __ATOMIC_SEQ_CST), 10000, "no ring");
  CHECK(pthread_create(&thread, NULL, take_off, NULL) == 0, "pthread_create");
  /* No barrier can be seen to hold but by looking for a while. */
  for (int64_t until = now_ms() + 50; now_ms() < until; poll(NULL, 0, 1)) {
    CHECK(!__atomic_load_n(&returned, __ATOMIC_SEQ_CST), "notify(NULL) did not wait");
  }
  __atomic_store_n(&barrier_bell->hold, 0, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  free(barrier_bell);
  liter_llm_queue_free(barrier_queue);

  /* Taken off, freed and gone at any moment, with requests in flight. */
  for (int i = 0; i < 300; i++) {
    bell *b = (bell *)calloc(1, sizeof *b);
    liter_llm_queue *queue = queue_of(0);
    CHECK(liter_llm_queue_notify(queue, ring, b) == LITER_LLM_OK, "notify");
    for (uint64_t token = 1; token <= 4; token++) {
      CHECK(submit(quick, queue, token, token % 2 ? HELLO : HELLO_STREAM) == 0, "submit");
    }
    if (i % 3 == 0) UNTIL(rings(b) > 0, 10000, "no ring");
    if (i % 2 == 0) CHECK(liter_llm_queue_notify(queue, NULL, NULL) == LITER_LLM_OK, "notify");
    if (i % 2 != 0) liter_llm_queue_free(queue); /* takes the doorbell off itself */
    free(b);
    if (i % 2 == 0) liter_llm_queue_free(queue);
  }
}

static void free_in_flight(void) {
  UNTIL(in_flight(silent) == 0, 20000, "in flight: %ld", in_flight(silent));
  size_t before = fds_now();
  for (int i = 0; i < 20; i++) {
    liter_llm_queue *queue = queue_of(0);
    CHECK(liter_llm_queue_fd(queue) >= 0, "no descriptor");
    for (uint64_t token = 1; token <= 10; token++) {
      CHECK(submit(silent, queue, token, HELLO) == LITER_LLM_OK, "submit");
    }
    if (i == 10) UNTIL(sim_stat("requests_open") > 0, 10000, "nothing arrives");
    liter_llm_queue_free(queue);
  }
  UNTIL(in_flight(silent) == 0, 20000, "%ld stay in flight", in_flight(silent));
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  UNTIL(fds_now() <= before, 20000, "%zu descriptors, %zu before", fds_now(), before);
}

int main(void) {
  quick = client_sim("");
  silent = client_sim("delay_ms=60000");
  space_and_level();
  busy_and_close();
  merged_chunks();
  doorbell_rings();
  doorbell_barrier();
  free_in_flight();
  CHECK(liter_llm_queue_next_size(NULL) == 0, "next_size of nothing");
  liter_llm_client_free(quick);
  liter_llm_client_free(silent);
  return 0;
}
