/*
 * fork.c - a hundred forks in the middle of streams. In the child the parent's handles answer
 * E_FORKED and can be freed; new ones work. The parent notices nothing, and its wake-ups arrive.
 */
#include "check.h"

#define FORKS (SANITIZED ? 30 : 100)
#define STREAMS 20

static liter_llm_client *client, *slow;
static liter_llm_queue *queue;

static void doorbell(void *unused) { (void)unused; }

/* The parent's handles, in the child. */
static void old_handles(void) {
  char *document = NULL;
  size_t len = 0;
  uint8_t buf[64];
  size_t heap = heap_now();
  CHECK(submit(client, queue, 5, HELLO) == LITER_LLM_E_FORKED, "submit");
  CHECK(liter_llm_client_call(client, HELLO, strlen(HELLO), NULL, 0, &document, &len) ==
            LITER_LLM_E_FORKED && document == NULL, "call");
  CHECK(liter_llm_client_metrics(client, "json", &document, &len) == LITER_LLM_E_FORKED, "metrics");
  CHECK(liter_llm_client_close(client, 1000) == LITER_LLM_E_FORKED, "client_close");
  CHECK(liter_llm_queue_fd(queue) == LITER_LLM_E_FORKED, "fd");
  CHECK(liter_llm_queue_read(queue, buf, sizeof buf, -1) == LITER_LLM_E_FORKED, "read");
  CHECK(liter_llm_queue_next_size(queue) == 0, "next_size");
  CHECK(liter_llm_queue_notify(queue, doorbell, NULL) == LITER_LLM_E_FORKED, "notify");
  CHECK(liter_llm_queue_logs(queue, 3) == LITER_LLM_E_FORKED, "logs");
  CHECK(liter_llm_queue_close(queue) == LITER_LLM_E_FORKED, "queue_close");
  CHECK(liter_llm_cancel(queue, 1) == LITER_LLM_E_FORKED, "cancel");
  CHECK(liter_llm_credit(queue, 1, 1) == LITER_LLM_E_FORKED, "credit");
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  CHECK(heap_now() == heap, "freeing a parent's handle did something");
}

/* The id of a request, which no other process may have. */
static void tell_id(int pipe, const char *document) {
  const char *id = strstr(document, "\"request_id\":\"llm_");
  CHECK(id != NULL, "no request id: %s", document);
  CHECK(write(pipe, id + 14, 36) == 36, "write");
}

static void child(int i, int pipe) {
  old_handles();
  if (i % 3 == 0) {
    int len = 0;
    char *document = liter_llm_invoke("openai", HELLO, &len);
    CHECK(len > 0, "%s", document);
    tell_id(pipe, document);
    liter_llm_free(document);
  } else {
    liter_llm_client *mine = client_sim("chunks=5");
    liter_llm_queue *own = queue_of(0);
    int32_t status;
    ends out = {0};
    char *document = call(mine, HELLO, &status);
    CHECK(status == LITER_LLM_OK, "%s", document);
    tell_id(pipe, document);
    liter_llm_free(document);
    struct pollfd ready = {liter_llm_queue_fd(own), POLLIN, 0};
    CHECK(submit(mine, own, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
    CHECK(poll(&ready, 1, 20000) == 1, "no wake-up");
    drain(own, 1, NULL, 0, &out, 20000);
    CHECK(out.results == 1, "%s", out.error);
    liter_llm_queue_free(own);
    liter_llm_client_free(mine);
  }
  if (i % 5 == 0) { /* a grandchild */
    pid_t pid = fork();
    if (pid == 0) {
      env_sim("");
      int len = 0;
      char *document = liter_llm_invoke(NULL, HELLO, &len);
      CHECK(len > 0, "%s", document);
      tell_id(pipe, document);
      _exit(0);
    }
    child_ok(pid, "grandchild");
  }
  if (i % 2) CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown in the child");
  _exit(0);
}

/* Waits for the parent's next event by its descriptor alone. */
static void parent_wakes(void) {
  struct pollfd ready = {liter_llm_queue_fd(queue), POLLIN, 0};
  records r = {0};
  liter_llm_event event;
  CHECK(poll(&ready, 1, 20000) == 1, "the parent's wake-ups are gone");
  CHECK(read_records(queue, &r, 0) > 0, "woken for nothing");
  while (next_record(&r, &event, NULL)) CHECK(event.kind == LITER_LLM_EVENT_CHUNK, "it ended");
  free_records(&r);
}

/* Whether all of the ids differ. */
static void unique(char *ids, size_t count) {
  qsort(ids, count, 36, (int (*)(const void *, const void *))strcmp);
  for (size_t i = 1; i < count; i++) {
    CHECK(memcmp(ids + 36 * (i - 1), ids + 36 * i, 36) != 0, "%.36s twice", ids + 36 * i);
  }
}

int main(void) {
  int ids[2];
  static char text_of_ids[36 * 200 + 1];
  pid_t pids[FORKS];
  CHECK(pipe(ids) == 0, "pipe");
  env_sim("");
  client = client_sim("");
  slow = client_sim("chunks=100000,interval_ms=2");
  queue = queue_of(0);
  call_ok(client);
  int len = 0;
  char *document = liter_llm_invoke("openai", HELLO, &len);
  CHECK(len > 0, "%s", document);
  liter_llm_free(document);
  for (uint64_t token = 1; token <= STREAMS; token++) {
    CHECK(submit(slow, queue, token, HELLO_STREAM) == LITER_LLM_OK, "submit");
  }
  for (int i = 0; i < FORKS; i++) {
    parent_wakes();
    pids[i] = fork();
    CHECK(pids[i] >= 0, "fork");
    if (pids[i] == 0) child(i, ids[1]);
    if (i >= 4) child_ok(pids[i - 4], "child");
    if (i % 10 == 0) call_ok(client);
  }
  for (int i = FORKS - 4; i < FORKS; i++) child_ok(pids[i], "child");
  parent_wakes();

  close(ids[1]);
  size_t got = 0;
  for (ssize_t n; (n = read(ids[0], text_of_ids + got, sizeof text_of_ids - 1 - got)) > 0;) {
    got += (size_t)n;
  }
  CHECK(got == 36 * (size_t)(FORKS + (FORKS + 4) / 5), "%zu bytes of ids", got);
  unique(text_of_ids, got / 36);

  /* Each of the parent's streams still ends once. */
  uint8_t seen[STREAMS + 1] = {0};
  ends out = {0};
  for (uint64_t token = 1; token <= STREAMS; token++) liter_llm_cancel(queue, token);
  drain(queue, STREAMS, seen, STREAMS, &out, 10000);
  CHECK(out.cancelled == STREAMS, "%zu cancelled", out.cancelled);
  call_ok(client);
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  liter_llm_client_free(slow);
  return 0;
}
