/*
 * half_read.c - a reader that leaves a stream in the middle: with a cancel, without one, or with its
 * whole queue. The socket closes, the last event comes, and other streams of the queue go on.
 */
#include "check.h"

#define ROUNDS (SANITIZED ? 6 : 20)

static liter_llm_client *endless, *large, *quick;

/* Reads events until `token` has brought a chunk; others may end meanwhile. */
static void wait_chunk(liter_llm_queue *queue, uint64_t token) {
  records r = {0};
  int found = 0;
  while (!found) {
    liter_llm_event event;
    CHECK(read_records(queue, &r, 10000) > 0, "no chunk for ten seconds");
    while (next_record(&r, &event, NULL)) {
      CHECK(event.kind != LITER_LLM_EVENT_ERROR, "token %llu", (unsigned long long)event.token);
      found |= event.token == token && event.kind == LITER_LLM_EVENT_CHUNK;
    }
  }
  free_records(&r);
}

/* Cancelled after some chunks: one last event, and its token can be used again at once. */
static void cancelled(void) {
  liter_llm_queue *queue = queue_of(0);
  for (int i = 0; i < ROUNDS; i++) {
    uint8_t seen[3] = {0};
    ends out = {0};
    CHECK(submit(endless, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
    for (int chunks = 0; chunks <= i % 3; chunks++) wait_chunk(queue, 1);
    CHECK(liter_llm_cancel(queue, 1) == LITER_LLM_OK, "cancel");
    CHECK(submit(quick, queue, 2, HELLO_STREAM) == LITER_LLM_OK, "submit");
    drain(queue, 2, seen, 2, &out, 10000);
    CHECK(out.cancelled == 1 && out.results == 1, "%zu results; %s", out.results, out.error);
  }
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  liter_llm_queue_free(queue);
}

/* The socket closes within 100 ms; the machine may be busy once, but not each time. */
static void soon(void) {
  int64_t best = INT64_MAX;
  for (int i = 0; i < 5 && best > 100; i++) {
    liter_llm_queue *queue = queue_of(0);
    CHECK(submit(endless, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
    wait_chunk(queue, 1);
    int64_t dropped = now_ms();
    if (i % 2) CHECK(liter_llm_cancel(queue, 1) == LITER_LLM_OK, "cancel");
    liter_llm_queue_free(queue);
    UNTIL(sim_stat("requests_open") == 0, 20000, "a socket stays open");
    if (now_ms() - dropped < best) best = now_ms() - dropped;
  }
  CHECK(SANITIZED || best <= 100, "not within 100 ms, but %lld", (long long)best);
}

/* Freed with half of a stream in it: what is unread goes with it. */
static void freed(void) {
  size_t heap = 0, fds = 0;
  for (int i = 0; i < 2 * ROUNDS; i++) {
    if (i == ROUNDS) {
      UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
      heap = heap_now();
      fds = fds_now();
    }
    liter_llm_queue *queue = queue_of(65536);
    CHECK(liter_llm_queue_fd(queue) >= 0, "no descriptor");
    for (uint64_t token = 1; token <= 4; token++) {
      CHECK(submit(token % 2 ? endless : large, queue, token, HELLO_STREAM) == 0, "submit");
    }
    wait_chunk(queue, (uint64_t)(i % 4) + 1);
    liter_llm_queue_free(queue);
  }
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  UNTIL(heap_now() <= heap + (1 << 20), 20000, "the heap grew from %zu to %zu", heap, heap_now());
  UNTIL(fds_now() <= fds + 8, 20000, "%zu descriptors, %zu before", fds_now(), fds);
}

/* Left in the middle and not cancelled: others on the same queue are answered meanwhile. */
static void left(void) {
  liter_llm_queue *queue = queue_of(65536);
  uint8_t seen[202] = {0};
  ends out = {0};
  CHECK(submit(large, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
  wait_chunk(queue, 1);
  for (uint64_t token = 2; token <= 201; token++) {
    CHECK(submit(quick, queue, token, HELLO) == LITER_LLM_OK, "submit");
    call_ok(quick);
  }
  drain(queue, 201, seen, 201, &out, 30000); /* later it is read to its end, and nothing is missing */
  CHECK(out.results == 201 && out.payload > 1000000, "%zu results, %llu bytes", out.results,
        (unsigned long long)out.payload);
  liter_llm_queue_free(queue);
}

int main(void) {
  endless = client_sim("chunks=100000,interval_ms=1");
  large = client_sim("chunks=500,bytes=1000000");
  quick = client_sim("");
  cancelled();
  soon();
  freed();
  left();
  liter_llm_client_free(endless);
  liter_llm_client_free(large);
  liter_llm_client_free(quick);
  return 0;
}
