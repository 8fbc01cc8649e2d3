/*
 * abi.c - what a caller compiled against the header relies on before any request: the version, the
 * layout of an event, and that nothing is started until the first request.
 */
#include "check.h"

#include <stddef.h>

int main(void) {
  CHECK(liter_llm_abi_version() == LITER_LLM_ABI_VERSION, "abi %u", liter_llm_abi_version());
  const char *version = liter_llm_version();
  int major, minor, patch;
  CHECK(sscanf(version, "%d.%d.%d", &major, &minor, &patch) == 3, "version %s", version);
  CHECK(version == liter_llm_version(), "the version moves");

  CHECK(sizeof(liter_llm_event) == 32, "%zu bytes", sizeof(liter_llm_event));
  CHECK(offsetof(liter_llm_event, token) == 0, "token");
  CHECK(offsetof(liter_llm_event, kind) == 8, "kind");
  CHECK(offsetof(liter_llm_event, status) == 12, "status");
  CHECK(offsetof(liter_llm_event, len) == 16, "len");
  CHECK(offsetof(liter_llm_event, count) == 20, "count");
  CHECK(offsetof(liter_llm_event, liter) == 24, "liter");

  liter_llm_client *client = client_sim("");
  liter_llm_queue *queue = queue_of(0);
  CHECK(liter_llm_queue_fd(queue) >= 0, "no descriptor");
  CHECK(liter_llm_queue_logs(queue, 4) == 0, "logs");
  char *metrics = NULL;
  size_t len = 0;
  CHECK(liter_llm_client_metrics(client, "json", &metrics, &len) == 0 && len > 0, "metrics");
  liter_llm_free(metrics);
  CHECK(liter_llm_shutdown(1000) == 0, "shutdown");
  CHECK(threads_now() == 1, "%zu threads before the first request", threads_now());

  call_ok(client);
  size_t cores = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
  CHECK(threads_now() > 1 && threads_now() <= 1 + 2 + cores, "%zu threads", threads_now());

  CHECK(liter_llm_client_metrics(client, "prometheus", &metrics, &len) == 0, "metrics");
  CHECK(strstr(metrics, "liter_llm_calls_total{provider=\"openai\",outcome=\"ok\"} 1") != NULL,
        "%s", metrics);
  CHECK(strlen(metrics) == len, "length %zu", len);
  liter_llm_free(metrics);
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return 0;
}
