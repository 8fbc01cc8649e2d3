/*
 * ten_thousand.c - 10,000 requests of one thread in flight at once: half of them are answered, half
 * cancelled. Each ends exactly once, with no thread more than for one request.
 */
#include "check.h"

#define CALLS (SANITIZED ? 2000 : 10000)

static long in_flight(liter_llm_client *client) {
  char *metrics = NULL;
  size_t len = 0;
  CHECK(liter_llm_client_metrics(client, "json", &metrics, &len) == 0, "metrics");
  long value = atol(strstr(metrics, "\"in_flight\":") + 12);
  liter_llm_free(metrics);
  return value;
}

int main(void) {
  static const char options[] = "{\"timeout_ms\":600000,\"retry\":false}";
  static uint8_t seen[10001];
  struct rlimit files;
  CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
  files.rlim_cur = files.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");

  /* The answers come when all requests have long been submitted; of `held`, never. */
  liter_llm_client *late = client_sim("delay_ms=8000"), *held = client_sim("delay_ms=600000");
  liter_llm_queue *queue = queue_of(0);
  uint64_t half = CALLS / 2;
  for (uint64_t token = 1; token <= 2 * half; token++) {
    liter_llm_client *client = token <= half ? held : late;
    int32_t status = liter_llm_submit(client, queue, token, 0, HELLO, strlen(HELLO), options,
                                      strlen(options));
    CHECK(status == LITER_LLM_OK, "submit %llu answered %d", (unsigned long long)token, status);
  }
  UNTIL(in_flight(held) + in_flight(late) == 2 * (long)half, 60000, "in flight: %ld and %ld",
        in_flight(held), in_flight(late));
  size_t threads = threads_now();
  CHECK(threads <= 1 + 2 + (size_t)sysconf(_SC_NPROCESSORS_ONLN), "%zu threads", threads);

  ends out = {0};
  drain(queue, half, seen, 2 * half, &out, 300000);
  CHECK(out.results == half && out.errors == 0, "%zu results, %zu errors: %s", out.results,
        out.errors, out.error);
  CHECK(in_flight(held) == (long)half && in_flight(late) == 0, "in flight: %ld and %ld",
        in_flight(held), in_flight(late));
  for (uint64_t token = 1; token <= 2 * half; token++) { /* of the others nothing is left */
    CHECK(seen[token] == (token > half), "token %llu", (unsigned long long)token);
    CHECK(liter_llm_cancel(queue, token) == LITER_LLM_OK, "cancel");
  }
  drain(queue, half, seen, 2 * half, &out, 60000);
  CHECK(out.cancelled == half, "%zu cancelled; %s", out.cancelled, out.error);
  CHECK(liter_llm_queue_next_size(queue) == 0, "something is left");
  CHECK(in_flight(held) == 0, "%ld in flight", in_flight(held));
  UNTIL(threads_now() <= threads, 20000, "%zu threads, %zu before", threads_now(), threads);
  UNTIL(sim_stat("requests_open") == 0, 60000, "%ld sockets stay open", sim_stat("requests_open"));
  liter_llm_queue_free(queue);
  liter_llm_client_free(held);
  liter_llm_client_free(late);
  return 0;
}
