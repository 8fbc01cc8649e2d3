/*
 * liter-llm from C: one blocking liter_llm_client_call after another.
 *
 * liter_c BASE_URL COUNT TEXT
 */
#define _POSIX_C_SOURCE 200809L
#include "common.h"
#include "liter_llm.h"

static const char OPTIONS[] = "{\"provider\":\"openai\"}";
static liter_llm_client *client;

static void call(const char *text) {
  static char found[65536];
  char *document = NULL;
  size_t length = 0;
  int32_t status = liter_llm_client_call(client, REQUEST, sizeof REQUEST - 1, OPTIONS,
                                         sizeof OPTIONS - 1, &document, &length);
  if (status != LITER_LLM_OK) die(document != NULL ? document : "misuse");
  find_string(document, "\"content\":", found, sizeof found);
  if (strcmp(found, text) != 0) die("a wrong text");
  liter_llm_free(document);
}

int main(int argc, char **argv) {
  char config[512], *error = NULL;
  if (argc < 4) die("usage: liter_c BASE_URL COUNT TEXT");
  int length = snprintf(config, sizeof config,
                        "{\"providers\":{\"openai\":{\"base_url\":\"%s\",\"api_key\":\"sk-benchmark\"}}}",
                        argv[1]);
  if (liter_llm_client_new(config, (size_t)length, &client, &error) != LITER_LLM_OK) die(error);
  run(call, atoi(argv[2]), argv[3]);
  liter_llm_client_free(client);
  return 0;
}
