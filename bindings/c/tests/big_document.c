/*
 * big_document.c - 30 MiB up and large answers down, by every path; one byte too many is an error.
 */
#include "check.h"

#define MIB (1024 * 1024)

/* {"prompt":"xxx…"} of exactly `size` bytes. */
static char *request_of(size_t size) {
  static const char head[] = "{\"prompt\":\"", tail[] = "\"}";
  char *request = (char *)malloc(size + 1);
  CHECK(request != NULL, "no memory");
  memset(request, 'x', size);
  memcpy(request, head, strlen(head));
  memcpy(request + size - strlen(tail), tail, strlen(tail) + 1);
  return request;
}

int main(void) {
  int32_t status;
  liter_llm_client *client = client_sim("bytes=100");
  char *request = request_of(30 * MIB);
  char *document = call(client, request, &status);
  CHECK(status == LITER_LLM_OK, "%.300s", document);
  liter_llm_free(document);

  liter_llm_queue *queue = queue_of(0);
  ends out = {0};
  CHECK(submit(client, queue, 1, request) == LITER_LLM_OK, "submit");
  drain(queue, 1, NULL, 0, &out, 60000);
  CHECK(out.results == 1, "no result");
  free(request);

  request = request_of(32 * MIB + 1);
  document = call(client, request, &status);
  CHECK(status == LITER_LLM_FAILED && is_kind(document, "invalid_request"), "%.300s", document);
  CHECK(strstr(document, "32 MiB") != NULL, "%s", document);
  liter_llm_free(document);
  free(request);

  /* 10 MB of text, in a response and in the chunks before it. */
  liter_llm_client *large = client_sim("bytes=10000000,chunks=500");
  env_sim("bytes=10000000");
  document = call(large, HELLO, &status);
  CHECK(status == LITER_LLM_OK && strlen(document) > 10000000, "%.300s", document);
  liter_llm_free(document);
  int len = 0;
  document = liter_llm_invoke("", HELLO, &len);
  CHECK(len > 10000000 && strlen(document) == (size_t)len, "%d", len);
  liter_llm_free(document);
  CHECK(submit(large, queue, 2, HELLO_STREAM) == LITER_LLM_OK, "submit");
  drain(queue, 1, NULL, 0, &out, 60000);
  CHECK(out.results == 1 && out.payload > 20000000, "%llu bytes", (unsigned long long)out.payload);

  liter_llm_queue_free(queue);
  liter_llm_client_free(large);
  liter_llm_client_free(client);
  return 0;
}
