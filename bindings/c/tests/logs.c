/*
 * logs.c - log records come as events, at the level asked for, without keys, prompts or answers; who
 * asked for them still gets them after liter_llm_shutdown. What nobody reads does not grow.
 */
#include "check.h"

/* Log records that wait on a queue; 0 where none do. */
static int take_logs(liter_llm_queue *queue, const char *must_hold) {
  records r = {0};
  int count = 0;
  while (read_records(queue, &r, 0) > 0) {
    liter_llm_event event;
    char *payload;
    while (next_record(&r, &event, &payload)) {
      CHECK(event.kind == LITER_LLM_EVENT_LOG && event.token == 0, "kind %u", event.kind);
      CHECK(payload[0] == '{' && payload[event.len - 1] == '}', "%s", payload);
      CHECK(strstr(payload, must_hold) != NULL, "%s", payload);
      CHECK(strstr(payload, "sk-check") == NULL, "a key: %s", payload);
      CHECK(strstr(payload, "hello") == NULL && strstr(payload, "You said") == NULL, "%s", payload);
      free(payload);
      count++;
    }
  }
  free_records(&r);
  return count;
}

static void fail_once(liter_llm_client *client) {
  int32_t status;
  char *document = call(client, "{\"prompt\":7}", &status);
  CHECK(status == LITER_LLM_FAILED, "status %d", status);
  liter_llm_free(document);
}

/* What nobody reads stays bounded: the oldest go, and one record says how many. */
static void unread(liter_llm_client *client) {
  enum { RECORDS = 12000 };
  liter_llm_queue *queue = queue_of(0);
  CHECK(liter_llm_queue_logs(queue, 1) == 0, "logs");
  for (int i = 0; i < RECORDS; i++) fail_once(client);
  records r = {0};
  liter_llm_event event;
  char *payload;
  long lost = 0, kept = 0;
  size_t bytes = 0;
  while (read_records(queue, &r, 0) > 0) {
    bytes += r.len;
    while (next_record(&r, &event, &payload)) {
      const char *told = strstr(payload, "\"event\":\"dropped\",\"records\":");
      if (told != NULL) {
        CHECK(lost == 0 && kept == 0, "not the first: %s", payload);
        CHECK(strstr(payload, "\"level\":\"warn\"") != NULL, "%s", payload);
        lost = atol(told + strlen("\"event\":\"dropped\",\"records\":"));
      } else {
        kept++;
      }
      free(payload);
    }
  }
  free_records(&r);
  CHECK(bytes <= (4 << 20) && kept == 10000, "%zu bytes, %ld records", bytes, kept);
  CHECK(lost > 0 && lost + kept == RECORDS, "%ld lost, %ld kept", lost, kept);
  liter_llm_queue_free(queue);
}

/* A queue hears of one client's calls only, where it asks for that. */
static void of_one_client(liter_llm_client *client) {
  liter_llm_client *other = client_sim("");
  liter_llm_queue *queue = queue_of(0);
  CHECK(liter_llm_queue_logs_of(queue, NULL, 3) == LITER_LLM_E_ARGUMENT, "no client");
  CHECK(liter_llm_queue_logs_of(NULL, other, 3) == LITER_LLM_E_ARGUMENT, "no queue");
  CHECK(liter_llm_queue_logs_of(queue, other, 6) == LITER_LLM_E_ARGUMENT, "level 6");
  CHECK(liter_llm_queue_logs_of(queue, other, 4) == 0, "logs of a client");
  fail_once(client);
  CHECK(take_logs(queue, "") == 0, "a record of another client");
  call_ok(other);
  CHECK(take_logs(queue, "") == 2, "an attempt and a call");
  liter_llm_client_free(other);
  liter_llm_queue_free(queue);
}

int main(void) {
  liter_llm_client *client = client_sim("");
  liter_llm_queue *all = queue_of(0), *errors = queue_of(0), *none = queue_of(0);
  CHECK(liter_llm_queue_logs(all, 5) == LITER_LLM_E_ARGUMENT, "level 5");
  CHECK(liter_llm_queue_logs(all, -1) == LITER_LLM_E_ARGUMENT, "level -1");
  CHECK(liter_llm_queue_logs(NULL, 1) == LITER_LLM_E_ARGUMENT, "no queue");
  CHECK(liter_llm_queue_logs(all, 3) == 0 && liter_llm_queue_logs(errors, 1) == 0, "levels");
  CHECK(liter_llm_queue_logs(none, 4) == 0 && liter_llm_queue_logs(none, 0) == 0, "off");

  for (int round = 0; round < 3; round++) {
    call_ok(client);
    CHECK(take_logs(all, "\"level\":\"info\"") == 1, "no record of a call");
    CHECK(take_logs(errors, "") == 0 && take_logs(none, "") == 0, "records that nobody wants");
    fail_once(client);
    CHECK(take_logs(all, "\"outcome\":\"invalid_request\"") == 1, "no record of an error");
    CHECK(take_logs(errors, "\"level\":\"error\"") == 1, "no record of an error");
    CHECK(take_logs(none, "") == 0, "a record that nobody wants");
    CHECK(liter_llm_shutdown(10000) == 0, "shutdown");
  }
  of_one_client(client);
  unread(client);
  CHECK(take_logs(all, "") > 1000, "other queues have their own");
  /* A queue that is gone is not written to. */
  liter_llm_queue_free(errors);
  CHECK(liter_llm_queue_close(all) == 0, "close");
  fail_once(client);
  CHECK(take_logs(all, "") == 0, "a record on a closed queue");
  liter_llm_queue_free(all);
  liter_llm_queue_free(none);
  fail_once(client);
  liter_llm_client_free(client);
  return 0;
}
