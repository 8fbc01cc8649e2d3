/*
 * panic.c - a panic inside the library is an error of kind "internal", on every path, and the process
 * goes on. Debug builds have an operation that panics; in release builds it is an unknown one.
 */
#include "check.h"

int main(void) {
  static const char request[] = "{\"op\":\"debug_panic\"}";
  const char *kind = strcmp(env("PROFILE"), "debug") == 0 ? "internal" : "unsupported";
  env_sim("");
  liter_llm_client *client = client_sim("");
  liter_llm_queue *queue = queue_of(0);
  for (uint64_t token = 1; token <= 20; token++) {
    int32_t status;
    char *document = call(client, request, &status);
    CHECK(status == LITER_LLM_FAILED && is_kind(document, kind), "%d %s", status, document);
    liter_llm_free(document);

    int len = 0;
    document = liter_llm_invoke("openai", request, &len);
    CHECK(len < 0 && is_kind(document, kind), "%d %s", len, document);
    liter_llm_free(document);

    CHECK(submit(client, queue, token, request) == LITER_LLM_OK, "submit");
    records r = {0};
    liter_llm_event event;
    char *payload;
    CHECK(read_records(queue, &r, 10000) > 0 && next_record(&r, &event, &payload), "no event");
    CHECK(event.token == token && event.kind == LITER_LLM_EVENT_ERROR, "kind %u", event.kind);
    CHECK(is_kind(payload, kind), "%s", payload);
    free(payload);
    free_records(&r);
  }
  call_ok(client);
  CHECK(liter_llm_client_close(client, 0) == 0, "close");
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return 0;
}
