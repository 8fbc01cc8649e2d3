/*
 * descriptors.c - where no file descriptor is left, a queue's descriptor and the first request answer
 * LITER_LLM_E_DESCRIPTORS, a blocking call says what to do, and all of them work when there are some
 * again. What has its descriptors goes on meanwhile.
 */
#include "check.h"

#include <fcntl.h>

static int taken[1024];
static size_t count;

/* Leaves none; also none below the limit that others have closed. */
static void take_all(void) {
  struct rlimit files;
  CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
  files.rlim_cur = fds_now() + 200;
  CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");
  for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
    CHECK(count < sizeof taken / sizeof *taken, "too many");
    taken[count++] = fd;
  }
  CHECK(errno == EMFILE, "open: %s", strerror(errno));
}

static void give_back(void) {
  while (count > 0) close(taken[--count]);
}

static void says_what_to_do(const char *document) {
  CHECK(is_kind(document, "connection"), "%s", document);
  CHECK(strstr(document, "ulimit -n") != NULL, "%s", document);
  CHECK(strstr(document, "\"retryable\":true") != NULL, "%s", document);
}

int main(void) {
  env_sim("");
  liter_llm_client *client = client_sim("");
  liter_llm_queue *queue = queue_of(0), *later = queue_of(0);
  struct pollfd ready = {-1, POLLIN, 0};
  int32_t status;
  ends out;

  take_all(); /* before the library's threads have started */
  for (int i = 0; i < 3; i++) {
    CHECK(liter_llm_queue_fd(queue) == LITER_LLM_E_DESCRIPTORS, "%d", liter_llm_queue_fd(queue));
    status = submit(client, queue, 1, HELLO);
    CHECK(status == LITER_LLM_E_DESCRIPTORS, "submit answered %d", status);
    char *document = call(client, HELLO, &status);
    CHECK(status == LITER_LLM_FAILED, "call answered %d", status);
    says_what_to_do(document);
    liter_llm_free(document);
    document = liter_llm_invoke("openai", HELLO, NULL);
    says_what_to_do(document);
    liter_llm_free(document);
  }
  CHECK(liter_llm_queue_next_size(queue) == 0, "an event of a request that was refused");

  give_back();
  ready.fd = liter_llm_queue_fd(queue);
  CHECK(ready.fd >= 0, "fd %d", ready.fd);
  CHECK(submit(client, queue, 1, HELLO) == LITER_LLM_OK, "submit");
  CHECK(poll(&ready, 1, 20000) == 1, "the descriptor is not readable");
  drain(queue, 1, NULL, 0, &out, 20000);
  CHECK(out.results == 1, "%s", out.error);

  take_all(); /* while the library's threads have a connection */
  CHECK(liter_llm_queue_fd(later) == LITER_LLM_E_DESCRIPTORS, "%d", liter_llm_queue_fd(later));
  CHECK(liter_llm_queue_fd(queue) == ready.fd, "a queue has lost its descriptor");
  CHECK(submit_how(client, queue, 2, LITER_LLM_SUBMIT_INLINE, HELLO, "") == 0, "inline");
  drain(queue, 1, NULL, 0, &out, 20000);
  CHECK(out.results == 1, "without a lane: %s", out.error);
  char *document = call(client, HELLO, &status);
  CHECK(status == LITER_LLM_FAILED, "call answered %d", status);
  says_what_to_do(document);
  liter_llm_free(document);

  give_back();
  CHECK(liter_llm_queue_fd(later) >= 0, "fd %d", liter_llm_queue_fd(later));
  call_ok(client);
  liter_llm_queue_free(queue);
  liter_llm_queue_free(later);
  liter_llm_client_free(client);
  return 0;
}
