/*
 * panic.c - a panic inside the library is an error of kind "internal", on every path, and the process
 * goes on. stderr hears the place, and nothing of the message, which may quote a prompt. Debug builds have an operation that panics; in release builds it is an unknown one.
 */
#include "check.h"

/* Sends stderr into a file; the first call returns what stderr was. */
static int redirect(int to) {
  int before = dup(STDERR_FILENO);
  CHECK(before >= 0 && dup2(to, STDERR_FILENO) >= 0, "dup: %s", strerror(errno));
  return before;
}

/* What a panic has printed. */
static void check_stderr(FILE *file, int debug) {
  char said[65536];
  rewind(file);
  size_t size = fread(said, 1, sizeof said - 1, file);
  said[size] = '\0';
  CHECK((strstr(said, "liter-llm panicked at core/src/") != NULL) == debug, "%s", said);
  CHECK(strstr(said, "debug_panic") == NULL, "%s", said);
  CHECK(strstr(said, "stack backtrace") == NULL, "%s", said);
}

int main(void) {
  static const char request[] = "{\"op\":\"debug_panic\"}";
  const char *kind = strcmp(env("PROFILE"), "debug") == 0 ? "internal" : "unsupported";
  FILE *file = tmpfile();
  CHECK(file != NULL, "tmpfile: %s", strerror(errno));
  int shown = redirect(fileno(file));
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
  close(redirect(shown));
  check_stderr(file, strcmp(kind, "internal") == 0);
  fclose(file);
  call_ok(client);
  CHECK(liter_llm_client_close(client, 0) == 0, "close");
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return 0;
}
