/*
 * no_threads.c - where the system refuses the library its threads, a call fails with a document that
 * says so, the host keeps its signal mask, and a later call, when there are threads again, works.
 */
#include "check.h"

#include <grp.h>

int main(void) {
  struct rlimit before, none;
  sigset_t mask, after;
  env_sim("");
  /* The limit does not hold for root. */
  if (geteuid() == 0) {
    CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0, "setuid: %s",
          strerror(errno));
  }
  CHECK(getrlimit(RLIMIT_NPROC, &before) == 0, "getrlimit");
  none = before;
  none.rlim_cur = 1;
  CHECK(setrlimit(RLIMIT_NPROC, &none) == 0, "setrlimit");
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0, "sigmask");

  liter_llm_client *client = client_sim("");
  liter_llm_queue *queue = queue_of(0);
  for (int i = 0; i < 3; i++) {
    int len = 0;
    char *document = liter_llm_invoke("openai", HELLO, &len);
    CHECK(len < 0 && is_kind(document, "internal"), "%s", document);
    CHECK(strstr(document, "threads") != NULL, "%s", document);
    liter_llm_free(document);
    CHECK(submit(client, queue, 1, HELLO) == LITER_LLM_E_INTERNAL, "submit");
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0, "sigmask");
    for (int number = 1; number < 32; number++) {
      CHECK(sigismember(&mask, number) == sigismember(&after, number), "%s is blocked now",
            strsignal(number));
    }
  }
  CHECK(liter_llm_queue_next_size(queue) == 0, "an event of a request that was refused");

  CHECK(setrlimit(RLIMIT_NPROC, &before) == 0, "setrlimit");
  ends out;
  CHECK(submit(client, queue, 1, HELLO) == LITER_LLM_OK, "submit");
  drain(queue, 1, NULL, 0, &out, 10000);
  CHECK(out.results == 1, "%s", out.error);
  call_ok(client);
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return 0;
}
