/*
 * closed_just_then.c - 16 threads make calls and streams to a server that closes each connection up
 * to 3 ms after an answer: none is lost, without any retry. With LITER_LLM_LONG=1 there are 10,000 calls.
 */
#include "check.h"

#define THREADS 16

static liter_llm_client *client;
static int rounds; /* of each thread */
static const char options[] = "{\"retry\":false}";

static void *calls(void *unused) {
  (void)unused;
  for (int i = 0; i < rounds; i++) {
    char *out = NULL;
    size_t len = 0;
    int32_t status = liter_llm_client_call(client, HELLO, strlen(HELLO), options, strlen(options),
                                           &out, &len);
    CHECK(status == LITER_LLM_OK, "call %d answered %d: %s", i, status, out);
    liter_llm_free(out);
  }
  return NULL;
}

static void *streams(void *unused) {
  (void)unused;
  liter_llm_queue *queue = queue_of(0);
  for (int i = 0; i < rounds / 4; i++) {
    ends out = {0};
    int32_t status = liter_llm_submit(client, queue, 1, 0, HELLO_STREAM, strlen(HELLO_STREAM),
                                      options, strlen(options));
    CHECK(status == LITER_LLM_OK, "submit answered %d", status);
    drain(queue, 1, NULL, 0, &out, 60000);
    CHECK(out.results == 1, "stream %d: %s", i, out.error);
  }
  liter_llm_queue_free(queue);
  return NULL;
}

static void all(void *(*body)(void *)) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0, "pthread_create");
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

int main(void) {
  rounds = getenv("LITER_LLM_LONG") ? 625 : 60;
  client = client_sim("close_us=3000");
  all(calls);
  all(streams);
  liter_llm_client_free(client);
  return 0;
}
