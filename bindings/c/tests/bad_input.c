/*
 * bad_input.c - whatever a caller or a server sends: a status or an error of the right kind, in time,
 * with a message that helps, and without a crash.
 */
#include "check.h"

/* Bodies of 32 MiB are read meanwhile. What is not answered at all has a shorter time. */
#define LIMIT_MS 30000
static const char *options = "{\"timeout_ms\":60000}";

static liter_llm_client *client;
static liter_llm_queue *queue;

/* The request fails with this kind and a message that holds `word`, by call and by queue. */
static void fails(liter_llm_client *with, const char *request, size_t len, const char *kind,
                  const char *word, int both) {
  char *document = NULL;
  size_t out_len = 0;
  int64_t start = now_ms();
  int32_t status = liter_llm_client_call(with, request, len, options, strlen(options), &document,
                                         &out_len);
  CHECK(now_ms() - start < LIMIT_MS, "%s took %lld ms", word, (long long)(now_ms() - start));
  CHECK(status == LITER_LLM_FAILED && out_len == strlen(document), "%s: %d", word, status);
  CHECK(is_kind(document, kind) && strstr(document, word) != NULL, "wanted %s with \"%s\": %s",
        kind, word, document);
  CHECK(strstr(document, "sk-check") == NULL, "a key: %s", document);
  liter_llm_free(document);
  if (!both) return;
  ends out;
  start = now_ms();
  CHECK(liter_llm_submit(with, queue, 1, 0, request, len, options, strlen(options)) == 0, "submit");
  drain(queue, 1, NULL, 0, &out, LIMIT_MS);
  CHECK(out.errors == 1 && is_kind(out.error, kind), "wanted %s: %s", kind, out.error);
}

static void request_fails(const char *request, const char *kind, const char *word) {
  fails(client, request, strlen(request), kind, word, 1);
}

/* A server that answers with one of the cases of tests/common/mod.rs. */
static void server_fails(const char *name, const char *kind, const char *word) {
  char *base = text("%s/case/r%d/c~%s/v1", env("SIM_URL"), (int)getpid(), name);
  liter_llm_client *with = client_at(base);
  fails(with, HELLO, strlen(HELLO), kind, word, 0);
  liter_llm_client_free(with);
  free(base);
}

static void nulls(void) {
  char *document = NULL;
  size_t len = 0;
  liter_llm_client *none = NULL;
  liter_llm_queue *no_queue = NULL;
  uint8_t buf[64];
  const int32_t bad = LITER_LLM_E_ARGUMENT;
  CHECK(liter_llm_client_new("{}", 2, NULL, &document) == bad, "client_new");
  CHECK(liter_llm_client_new("{}", 2, &none, NULL) == bad && none == NULL, "client_new");
  CHECK(liter_llm_client_new(NULL, 2, &none, &document) == bad && none == NULL, "client_new");
  CHECK(liter_llm_client_call(NULL, HELLO, 5, NULL, 0, &document, &len) == bad, "call");
  CHECK(liter_llm_client_call(client, NULL, 0, NULL, 0, &document, &len) == bad, "call");
  CHECK(liter_llm_client_call(client, NULL, 5, NULL, 0, &document, &len) == bad, "call");
  CHECK(liter_llm_client_call(client, HELLO, 5, NULL, 5, &document, &len) == bad, "call");
  CHECK(liter_llm_client_call(client, HELLO, 5, NULL, 0, NULL, &len) == bad, "call");
  CHECK(liter_llm_client_call(client, HELLO, 5, NULL, 0, &document, NULL) == bad, "call");
  CHECK(liter_llm_client_call(client, HELLO, SIZE_MAX, NULL, 0, &document, &len) == bad, "call");
  CHECK(liter_llm_client_metrics(NULL, "json", &document, &len) == bad, "metrics");
  CHECK(liter_llm_client_metrics(client, NULL, &document, &len) == bad, "metrics");
  CHECK(liter_llm_client_metrics(client, "xml", &document, &len) == bad, "metrics");
  CHECK(liter_llm_client_metrics(client, "json", NULL, &len) == bad, "metrics");
  CHECK(liter_llm_client_close(NULL, 0) == bad && document == NULL && len == 0, "close");
  CHECK(liter_llm_queue_new(0, NULL) == bad, "queue_new");
  CHECK(liter_llm_queue_fd(no_queue) == bad, "fd");
  CHECK(liter_llm_queue_notify(no_queue, NULL, NULL) == bad, "notify");
  CHECK(liter_llm_queue_read(no_queue, buf, sizeof buf, 0) == bad, "read");
  CHECK(liter_llm_queue_read(queue, NULL, 64, 0) == bad, "read");
  CHECK(liter_llm_queue_close(no_queue) == bad, "queue_close");
  CHECK(submit(NULL, queue, 1, HELLO) == bad && submit(client, NULL, 1, HELLO) == bad, "submit");
  CHECK(submit(client, queue, 0, HELLO) == bad, "token 0");
  CHECK(liter_llm_submit(client, queue, 1, 0, NULL, 0, NULL, 0) == bad, "submit");
  CHECK(liter_llm_submit(client, queue, 1, 0, HELLO, 5, NULL, 1) == bad, "submit");
  liter_llm_free(NULL);
  liter_llm_client_free(NULL);
  liter_llm_queue_free(NULL);
  int out_len = 0;
  document = liter_llm_invoke(NULL, NULL, &out_len);
  CHECK(out_len < 0 && is_kind(document, "invalid_request"), "%s", document);
  liter_llm_free(document);
  document = liter_llm_invoke("\xff", HELLO, NULL);
  CHECK(is_kind(document, "invalid_request"), "%s", document);
  liter_llm_free(document);
}

static void tokens(void) {
  liter_llm_client *silent = client_sim("delay_ms=60000");
  ends out;
  CHECK(submit(silent, queue, 9, HELLO) == LITER_LLM_OK, "submit");
  CHECK(submit(silent, queue, 9, HELLO) == LITER_LLM_E_ARGUMENT, "the token is taken");
  CHECK(submit(silent, queue, UINT64_MAX, HELLO) == LITER_LLM_OK, "the largest token");
  liter_llm_client_free(silent);
  drain(queue, 2, NULL, 0, &out, 5000);
  CHECK(out.cancelled == 2, "%s", out.error);
}

static void requests(void) {
  request_fails("", "invalid_request", "empty");
  request_fails(" \n", "invalid_request", "empty");
  request_fails("{", "invalid_request", "not valid JSON");
  request_fails("[]", "invalid_request", "a list");
  request_fails("null", "invalid_request", "null");
  request_fails("{}", "invalid_request", "messages is missing");
  request_fails("{\"prompt\":7}", "invalid_request", "prompt must be a string, not a number");
  request_fails("{\"messages\":{}}", "invalid_request", "messages must be a list");
  request_fails("{\"messages\":[{\"role\":\"king\",\"content\":\"x\"}]}", "invalid_request", "role");
  request_fails("{\"prompt\":\"x\",\"max_tokens\":-1}", "invalid_request", "max_tokens");
  request_fails("{\"prompt\":\"\xff\"}", "invalid_request", "not UTF-8");
  request_fails("{\"prompt\":\"x\",\"op\":\"fly\"}", "unsupported", "op");
  request_fails("{\"prompt\":\"x\",\"options\":{\"nope\":1}}", "invalid_request", "options.nope");
  request_fails("{\"prompt\":\"x\",\"options\":{\"cache\":{\"mode\":\"fly\"}}}", "invalid_request",
                "options.cache.mode");
  request_fails("{\"prompt\":\"x\",\"options\":{\"provider\":\"nobody\"}}", "not_found", "known:");
  static const char nul[] = "{\"prompt\":\"a\0b\"}";
  fails(client, nul, sizeof nul - 1, "invalid_request", "not valid JSON", 1);

  size_t deep = 10000, len = 2 * deep * 5 + 64;
  char *nested = (char *)calloc(len, 1);
  strcpy(nested, "{\"prompt\":");
  for (size_t i = 0, at = 10; i < deep; i++, at++) nested[at] = '[';
  fails(client, nested, strlen(nested), "invalid_request", "nested deeper than 128", 1);
  free(nested);

  size_t large = 33u << 20;
  char *big = (char *)malloc(large);
  memset(big, ' ', large);
  fails(client, big, large, "invalid_request", "32 MiB", 1);
  free(big);
}

static void configurations(void) {
  static const char *const bad[][2] = {
      {"", "empty"},
      {"{", "not valid JSON"},
      {"[]", "a list"},
      {"{\"provider\":1}", "provider is not a member"},
      {"{\"providers\":{\"x\":{}}}", "kind"},
      {"{\"providers\":{\"openai\":{\"base_url\":\"ftp://x\"}}}", "http://"},
      {"{\"providers\":{\"openai\":{\"base_url\":\"http://u:p@x\"}}}", "api_key"},
      {"{\"max_in_flight\":0}", "max_in_flight"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    liter_llm_client *none = NULL;
    char *error = NULL;
    int32_t status = liter_llm_client_new(bad[i][0], strlen(bad[i][0]), &none, &error);
    CHECK(status == LITER_LLM_FAILED && none == NULL, "%s: %d", bad[i][0], status);
    CHECK(is_kind(error, "invalid_request") && strstr(error, bad[i][1]), "%s: %s", bad[i][0], error);
    liter_llm_free(error);
  }
  /* A missing key is an error of the call, which names the variable. */
  char *config = text("{\"default_provider\":\"openai\",\"default_model\":\"sim\",\"providers\":"
                      "{\"openai\":{\"base_url\":\"%s/v1\"}}}", env("SIM_URL"));
  liter_llm_client *keyless = client_of(config);
  fails(keyless, HELLO, strlen(HELLO), "authentication", "OPENAI_API_KEY", 1);
  liter_llm_client_free(keyless);
  free(config);
}

static void servers(void) {
  server_fails("html", "bad_response", "base_url");
  server_fails("bomb", "bad_response", "32 MiB");
  server_fails("endless_headers", "bad_response", "HTTP");
  server_fails("endless_body", "bad_response", "32 MiB");
  const char *before = options;
  options = "{\"timeout_ms\":1000}";
  server_fails("never", "timeout", "timeout_ms");
  options = before;
  server_fails("not_http", "bad_response", "HTTP");
  server_fails("empty", "bad_response", "");
  server_fails("rate", "rate_limit", "\"retry_after_ms\":7000");

  /* Nobody listens: the port is taken and given back. */
  struct sockaddr_in address = {0};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "bind");
  CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0, "getsockname");
  char *base = text("http://127.0.0.1:%d/v1", ntohs(address.sin_port));
  liter_llm_client *refused = client_at(base);
  fails(refused, HELLO, strlen(HELLO), "connection", "refused", 1);
  liter_llm_client_free(refused);
  close(fd);
  free(base);

  /* The certificate is signed by a known authority, for another name; then by an unknown one. */
  for (int known = 1; known >= 0; known--) {
    char *ca = known ? text(",\"ca_file\":\"%s\"", env("SIM_CA")) : text("%s", "");
    char *config = text("{\"default_provider\":\"openai\",\"default_model\":\"sim\",\"providers\":"
                        "{\"openai\":{\"base_url\":\"%s/v1\",\"api_key\":\"sk-check\"%s}}}",
                        env(known ? "SIM_TLS_WRONG_URL" : "SIM_TLS_URL"), ca);
    liter_llm_client *wrong = client_of(config);
    fails(wrong, HELLO, strlen(HELLO), "connection", "certificate", 1);
    liter_llm_client_free(wrong);
    free(config);
    free(ca);
  }
  /* And the right one works. */
  char *config = text("{\"default_provider\":\"openai\",\"default_model\":\"sim\",\"providers\":"
                      "{\"openai\":{\"base_url\":\"%s/v1\",\"api_key\":\"k\",\"ca_file\":\"%s\"}}}",
                      env("SIM_TLS_URL"), env("SIM_CA"));
  liter_llm_client *right = client_of(config);
  call_ok(right);
  liter_llm_client_free(right);
  free(config);
}

/* A NUL byte in a model's text is legal JSON, and survives. */
static void nul_in_answer(void) {
  char *base = text("%s/case/r%d/c~nul/v1", env("SIM_URL"), (int)getpid());
  liter_llm_client *with = client_at(base);
  int32_t status;
  char *document = call(with, HELLO, &status);
  CHECK(status == LITER_LLM_OK && strstr(document, "a\\u0000b") != NULL, "%s", document);
  liter_llm_free(document);
  liter_llm_client_free(with);
  free(base);
}

/* One more than max_in_flight is a status at once, whether or not a thread has begun the others. */
static void too_many(void) {
  char *config = text("{\"max_in_flight\":2,\"default_provider\":\"openai\",\"default_model\":\"sim\","
                      "\"providers\":{\"openai\":{\"base_url\":\"%s/sim,delay_ms=60000/v1\","
                      "\"api_key\":\"k\"}}}", env("SIM_URL"));
  liter_llm_client *small = client_of(config);
  ends out = {0};
  CHECK(submit(small, queue, 1, HELLO) == LITER_LLM_OK, "the first");
  CHECK(submit(small, queue, 2, HELLO_STREAM) == LITER_LLM_OK, "the second");
  CHECK(submit(small, queue, 3, HELLO) == LITER_LLM_E_BUSY, "the third");
  fails(small, HELLO, strlen(HELLO), "rate_limit", "max_in_flight", 0);
  CHECK(liter_llm_client_close(small, 0) == LITER_LLM_OK, "close");
  drain(queue, 2, NULL, 0, &out, 10000);
  CHECK(out.cancelled == 2, "%zu of 2 cancelled; %s", out.cancelled, out.error);
  liter_llm_client_free(small);
  free(config);
}

int main(void) {
  env_sim("");
  client = client_sim("");
  queue = queue_of(0);
  nulls();
  tokens();
  requests();
  configurations();
  servers();
  nul_in_answer();
  too_many();
  call_ok(client);
  CHECK(liter_llm_client_close(client, 0) == LITER_LLM_OK, "close");
  CHECK(submit(client, queue, 1, HELLO) == LITER_LLM_E_CLOSED, "submit to a closed client");
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
  return 0;
}
