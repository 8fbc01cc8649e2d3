/*
 * lookups.c - hosts whose names are not found hold up no other host: neither its blocking calls nor
 * those on a queue.
 */
#include "common/slow_names.c"

#include "check.h"

#define CALLS 12

static void *to_slow(void *client) {
  int32_t status;
  char *document = call((liter_llm_client *)client, HELLO, &status);
  CHECK(status == LITER_LLM_FAILED && is_kind(document, "timeout"), "%s", document);
  CHECK(strstr(document, "look-up of the name slow") != NULL, "%s", document);
  liter_llm_free(document);
  return NULL;
}

int main(void) {
  pthread_t threads[CALLS];
  liter_llm_client *slow[CALLS];
  for (uintptr_t i = 0; i < CALLS; i++) {
    char *config = text("{\"retry\":false,\"default_provider\":\"openai\",\"default_model\":\"m\","
                        "\"providers\":{\"openai\":{\"base_url\":\"http://slow%d.test/v1\","
                        "\"api_key\":\"k\",\"timeouts\":{\"connect_ms\":500}}}}", (int)i % 4);
    slow[i] = client_of(config);
    free(config);
    CHECK(pthread_create(&threads[i], NULL, to_slow, slow[i]) == 0, "pthread_create");
  }
  for (int i = 0; i < CALLS; i++) pthread_join(threads[i], NULL);

  /* All of their look-ups are still running. */
  char *base = text("http://healthy.test%s/v1", strrchr(env("SIM_URL"), ':'));
  liter_llm_client *client = client_at(base);
  int64_t begun = now_ms();
  call_ok(client);
  liter_llm_queue *queue = queue_of(0);
  ends out = {0};
  CHECK(submit(client, queue, 1, HELLO) == LITER_LLM_OK, "submit");
  drain(queue, 1, NULL, 0, &out, 20000);
  CHECK(out.results == 1, "%s", out.error);
  CHECK(now_ms() - begun < 2000, "%d ms", (int)(now_ms() - begun));
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  for (int i = 0; i < CALLS; i++) liter_llm_client_free(slow[i]);
  free(base);
  return 0;
}
