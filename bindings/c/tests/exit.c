/*
 * exit.c - a process may end at any moment: with requests, streams and a reader in flight, from any
 * thread. It ends with the code it asked for, and at once.
 */
#include "check.h"

static liter_llm_client *slow;
static liter_llm_queue *queue;

static void *reads(void *unused) {
  (void)unused;
  records r = {0};
  while (read_records(queue, &r, -1) >= 0) continue;
  return NULL;
}

static void *calls(void *unused) {
  (void)unused;
  int32_t status;
  for (;;) liter_llm_free(call(slow, HELLO, &status));
  return NULL;
}

static void *exits(void *unused) {
  (void)unused;
  exit(7);
}

static int work(int way) {
  pthread_t thread;
  slow = client_sim("delay_ms=3,chunks=2000,interval_ms=1");
  queue = queue_of(0);
  CHECK(liter_llm_queue_fd(queue) >= 0, "no descriptor");
  for (uint64_t token = 1; token <= 20; token++) {
    CHECK(submit(slow, queue, token, token % 4 ? HELLO_STREAM : HELLO) == LITER_LLM_OK, "submit");
  }
  for (int i = 0; i < 4; i++) {
    CHECK(pthread_create(&thread, NULL, calls, NULL) == 0, "pthread_create");
  }
  UNTIL(liter_llm_queue_next_size(queue) > 0, 20000, "no event");
  if (way % 2) CHECK(pthread_create(&thread, NULL, reads, NULL) == 0, "pthread_create");
  if (way % 3 == 1) {
    CHECK(pthread_create(&thread, NULL, exits, NULL) == 0, "pthread_create");
    for (;;) pause();
  }
  if (way % 3 == 2) CHECK(liter_llm_queue_close(queue) == LITER_LLM_OK, "close");
  return 7;
}

int main(void) {
  int runs = SANITIZED ? 20 : 120;
  for (int i = 0; i < runs; i++) {
    pid_t pid = fork(); /* nothing of the library runs here */
    CHECK(pid >= 0, "fork");
    if (pid == 0) exit(work(i));
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "run %d: exit %d, signal %d", i,
          WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  }
  return 0;
}
