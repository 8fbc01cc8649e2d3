/*
 * leak.c - clients, queues, calls, streams and documents in loops: the heap, the descriptors and the
 * threads stay as they are after the first rounds.
 */
#include "check.h"

static void round_of_everything(int i) {
  liter_llm_client *client = client_sim("chunks=8");
  liter_llm_queue *queue = queue_of(0);
  int32_t status;
  ends out;
  size_t len;
  char *document;
  CHECK(liter_llm_queue_fd(queue) >= 0, "no descriptor");
  CHECK(liter_llm_queue_logs(queue, i % 5) == LITER_LLM_OK, "logs");
  call_ok(client);
  liter_llm_free(call(client, "{\"prompt\":7}", &status));
  CHECK(liter_llm_client_metrics(client, "json", &document, &len) == LITER_LLM_OK, "metrics");
  liter_llm_free(document);
  for (uint64_t token = 1; token <= 10; token++) {
    CHECK(submit(client, queue, token, token % 2 ? HELLO : HELLO_STREAM) == LITER_LLM_OK, "submit");
  }
  if (i % 3 != 0) drain(queue, 10, NULL, 0, &out, 20000);
  if (i % 4 == 1) CHECK(liter_llm_client_close(client, 100) == LITER_LLM_OK, "close");
  if (i % 2) {
    liter_llm_queue_free(queue);
    liter_llm_client_free(client);
  } else {
    liter_llm_client_free(client);
    liter_llm_queue_free(queue);
  }
  char *error = NULL;
  CHECK(liter_llm_client_new("{", 1, &client, &error) == LITER_LLM_FAILED, "a broken document");
  liter_llm_free(error);
  document = liter_llm_invoke("openai", HELLO, NULL);
  liter_llm_free(document);
}

int main(void) {
  env_sim("");
  int rounds = SANITIZED ? 40 : 150;
  for (int i = 0; i < rounds; i++) round_of_everything(i);
  UNTIL(sim_stat("connections_open") <= 2, 20000, "%ld connections", sim_stat("connections_open"));
  size_t heap = heap_now(), fds = fds_now(), threads = threads_now();
  for (int i = 0; i < rounds; i++) round_of_everything(i);
  /* A connection more or less: the calls meet as they like. */
  UNTIL(fds_now() <= fds + 8, 20000, "%zu descriptors, %zu before", fds_now(), fds);
  UNTIL(heap_now() <= heap + (128 << 10), 20000, "the heap grew from %zu to %zu", heap, heap_now());
  UNTIL(threads_now() <= threads + 2, 20000, "%zu threads, %zu before", threads_now(), threads);

  /* Nothing is left but the engine's own few hundred bytes for each shutdown. */
  for (int i = 0; i < 20; i++) {
    round_of_everything(i);
    CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
  }
  heap = heap_now();
  fds = fds_now();
  for (int i = 0; i < 20; i++) {
    round_of_everything(i);
    CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
  }
  CHECK(heap_now() <= heap + (64 << 10), "the heap grew from %zu to %zu", heap, heap_now());
  CHECK(fds_now() <= fds, "%zu descriptors, %zu before", fds_now(), fds);
  UNTIL(threads_now() == 1, 20000, "%zu threads", threads_now());
  return 0;
}
