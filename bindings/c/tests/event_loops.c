/*
 * event_loops.c - several event loops in one process: each thread polls its own queues with epoll and
 * shares the client. Each answer comes to the loop that asked; loops come and go.
 */
#include "check.h"

#include <sys/epoll.h>

#define LOOPS 6
#define QUEUES 5
#define REQUESTS 20
#define ROUNDS (SANITIZED ? 3 : 12)

static liter_llm_client *client;

/* Reads what one queue has; how many of its requests have ended. */
static size_t take(liter_llm_queue *queue, uint64_t base) {
  records r = {0};
  liter_llm_event event;
  char *payload;
  size_t ended = 0;
  CHECK(read_records(queue, &r, 0) > 0, "woken for nothing");
  while (next_record(&r, &event, &payload)) {
    char *echo = text("You said: t%llu\"", (unsigned long long)event.token);
    CHECK(event.token > base && event.token <= base + REQUESTS, "the token of another queue");
    CHECK(event.kind != LITER_LLM_EVENT_ERROR, "%s", payload);
    if (event.kind == LITER_LLM_EVENT_RESULT) {
      CHECK(strstr(payload, echo) != NULL, "not %s: %s", echo, payload);
      ended++;
    }
    free(echo);
    free(payload);
  }
  free_records(&r);
  return ended;
}

/* A loop's whole life. */
static void one_loop(uint64_t number) {
  liter_llm_queue *queues[QUEUES];
  uint64_t bases[QUEUES];
  int loop = epoll_create1(EPOLL_CLOEXEC);
  CHECK(loop >= 0, "epoll_create1");
  for (int i = 0; i < QUEUES; i++) {
    struct epoll_event ready = {EPOLLIN, {.u32 = (uint32_t)i}};
    queues[i] = queue_of(0);
    bases[i] = number * 1000 + (uint64_t)i * REQUESTS;
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, liter_llm_queue_fd(queues[i]), &ready) == 0, "epoll_ctl");
    for (uint64_t token = bases[i] + 1; token <= bases[i] + REQUESTS; token++) {
      char *request = text("{\"prompt\":\"t%llu\",\"stream\":%s}", (unsigned long long)token,
                           token % 3 ? "false" : "true");
      CHECK(submit(client, queues[i], token, request) == LITER_LLM_OK, "submit");
      free(request);
    }
  }
  for (size_t ended = 0; ended < QUEUES * REQUESTS;) {
    struct epoll_event ready[QUEUES];
    int count = epoll_wait(loop, ready, QUEUES, 30000);
    CHECK(count > 0, "no wake-up for half a minute with %zu ended", ended);
    for (int i = 0; i < count; i++) ended += take(queues[ready[i].data.u32], bases[ready[i].data.u32]);
  }
  struct epoll_event none;
  CHECK(epoll_wait(loop, &none, 1, 0) == 0, "a queue with nothing in it is readable");
  /* The loop ends with requests in flight. */
  CHECK(submit(client, queues[0], bases[0] + 1, HELLO) == LITER_LLM_OK, "submit");
  for (int i = 0; i < QUEUES; i++) liter_llm_queue_free(queues[i]);
  close(loop);
}

static void *loops(void *number) {
  for (int round = 0; round < ROUNDS; round++) one_loop((uint64_t)(uintptr_t)number);
  return NULL;
}

int main(void) {
  pthread_t threads[LOOPS];
  client = client_sim("");
  one_loop(LOOPS);
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  size_t before = threads_now();
  for (uintptr_t i = 0; i < LOOPS; i++) {
    CHECK(pthread_create(&threads[i], NULL, loops, (void *)i) == 0, "pthread_create");
  }
  for (int i = 0; i < LOOPS; i++) pthread_join(threads[i], NULL);
  UNTIL(threads_now() <= before, 20000, "%zu threads, %zu before", threads_now(), before);
  liter_llm_client_free(client);
  return 0;
}
