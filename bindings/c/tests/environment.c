/*
 * environment.c - the environment is read while a client is made, and never again: a key stays what it
 * was, calls and streams go on beside setenv in another thread, and a client of a given environment is
 * made beside it too.
 */
#include "check.h"

#define MAKERS 2
#define CALLERS 3

static char *config;
static liter_llm_client *client;
static int64_t until;
static int made, answered;

/* A client of `text` (NULL: of the environment's configuration) in an environment; NULL: refused. */
static liter_llm_client *client_in(const char *text, const char *environment, char **error) {
  liter_llm_client *out = NULL;
  int32_t status = liter_llm_client_new_with_environment(
      text, text != NULL ? strlen(text) : 0, environment, strlen(environment), &out, error);
  CHECK((status == LITER_LLM_OK) == (out != NULL), "status %d", status);
  return out;
}

static void *sets(void *unused) {
  (void)unused;
  char name[32];
  for (unsigned round = 0; now_ms() < until; round++) {
    for (int i = 0; i < 3000; i++) {
      snprintf(name, sizeof name, "LITER_STORM_%d", i);
      if (round % 2 == 0) setenv(name, "a value that is long enough to be moved", 1);
      else unsetenv(name);
    }
  }
  return NULL;
}

static void *makes(void *unused) {
  (void)unused;
  while (now_ms() < until) {
    char *error = NULL;
    liter_llm_client *own = client_in(config, "{\"MY_KEY\":\"sk-check\"}", &error);
    CHECK(own != NULL, "%s", error);
    liter_llm_client_free(own);
    __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

/* Blocking calls: with more of them at once there are new lanes. */
static void *calls(void *unused) {
  (void)unused;
  while (now_ms() < until) {
    call_ok(client);
    __atomic_add_fetch(&answered, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

/* The library's threads start, requests end, streams, errors: beside the setter. */
static void storm(void) {
  pthread_t threads[1 + MAKERS + CALLERS];
  int count = 0;
  ends out = {0};
  liter_llm_queue *queue = queue_of(0);
  until = now_ms() + 3000;
  CHECK(pthread_create(&threads[count++], NULL, sets, NULL) == 0, "pthread_create");
  for (int i = 0; i < MAKERS + CALLERS; i++) {
    void *(*work)(void *) = i < MAKERS ? makes : calls;
    CHECK(pthread_create(&threads[count++], NULL, work, NULL) == 0, "pthread_create");
  }
  while (now_ms() < until) {
    CHECK(submit(client, queue, 1, HELLO) == 0, "submit");
    CHECK(submit(client, queue, 2, HELLO_STREAM) == 0, "submit");
    CHECK(submit(client, queue, 3, "{\"model\":\"nobody/x\",\"prompt\":\"a\"}") == 0, "submit");
    drain(queue, 3, NULL, 0, &out, 20000);
  }
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  CHECK(made > 20 && answered > 10, "%d clients, %d answers", made, answered);
  liter_llm_queue_free(queue);
}

/* A call on `own`, which is freed: the error's text, or NULL where it was answered. */
static char *outcome(liter_llm_client *own) {
  int32_t status;
  char *document = call(own, HELLO, &status);
  char *copy = status == LITER_LLM_OK ? NULL : text("%s", document);
  liter_llm_free(document);
  liter_llm_client_free(own);
  return copy;
}

int main(void) {
  char *error = NULL, *said;
  alarm(120);
  config = text("{\"retry\":false,\"default_provider\":\"openai\",\"default_model\":\"sim\",\"providers\":"
                "{\"openai\":{\"base_url\":\"%s/sim,/v1\",\"api_key\":\"env:MY_KEY\"}}}", env("SIM_URL"));

  /* The process's environment counts when the client is made. */
  setenv("MY_KEY", "sk-check", 1);
  client = client_of(config);
  unsetenv("MY_KEY");
  call_ok(client);
  said = outcome(client_of(config));
  CHECK(said != NULL && is_kind(said, "authentication") && strstr(said, "MY_KEY"), "%s", said);
  free(said);

  /* A given one stands in for all of it. */
  setenv("MY_KEY", "sk-check", 1);
  said = outcome(client_in(config, "{}", &error));
  CHECK(said != NULL && is_kind(said, "authentication") && strstr(said, "MY_KEY"), "%s", said);
  free(said);
  CHECK(outcome(client_in(config, "{\"MY_KEY\":\"sk-check\"}", &error)) == NULL, "no answer");
  char *quoted = text("{\"MY_KEY\":\"sk-check\",\"LITER_LLM_CONFIG\":\"{\\\"retry\\\":false,"
                      "\\\"providers\\\":{\\\"openai\\\":{\\\"base_url\\\":\\\"%s/sim,/v1\\\","
                      "\\\"api_key\\\":\\\"env:MY_KEY\\\"}}}\",\"LITER_LLM_PROVIDER\":\"openai\","
                      "\"LITER_LLM_MODEL\":\"sim\"}", env("SIM_URL"));
  CHECK(outcome(client_in(NULL, quoted, &error)) == NULL, "no answer");
  free(quoted);

  /* What is wrong is said without a value. */
  CHECK(client_in(config, "{\"MY_KEY\":[\"sk-check\"]}", &error) == NULL, "taken");
  CHECK(is_kind(error, "invalid_request") && strstr(error, "environment.MY_KEY"), "%s", error);
  CHECK(strstr(error, "sk-check") == NULL, "%s", error);
  liter_llm_free(error);
  liter_llm_client *none = NULL;
  CHECK(liter_llm_client_new_with_environment(NULL, 0, NULL, 0, &none, &error) ==
        LITER_LLM_E_ARGUMENT, "NULL");

  storm();
  liter_llm_client_free(client);
  free(config);
  return 0;
}
