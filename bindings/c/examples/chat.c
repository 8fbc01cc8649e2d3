/*
 * chat.c - one request, one answer.
 *
 *   OPENAI_API_KEY=sk-... ./chat "Why is the sky blue?" openai/gpt-4.1-mini
 *   cc -std=c99 -Iinclude bindings/c/examples/chat.c -Ltarget/release -lliter_llm -o chat
 *
 * Prints the response document; its member "text" is the model's answer. Provider and model come
 * from the second argument ("provider/model"), else from LITER_LLM_PROVIDER and LITER_LLM_MODEL. A
 * program that makes one call at a time needs no more of the library than this; stream.c and many.c
 * show the queue.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liter_llm.h"

/* Writes `text` to `out` as a JSON string. */
static char *quote(char *out, const char *text) {
  *out++ = '"';
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20) {
      out += sprintf(out, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') *out++ = '\\';
      *out++ = *text;
    }
  }
  *out++ = '"';
  *out = '\0';
  return out;
}

int main(int argc, char **argv) {
  const char *prompt = argc > 1 ? argv[1] : "Say hello in one word.";
  const char *model = argc > 2 ? argv[2] : "";

  /* {"model":"...","prompt":"..."}; a character takes six bytes at most. */
  char *request = (char *)malloc(6 * (strlen(prompt) + strlen(model)) + 64);
  if (request == NULL) return 2;
  char *end = request + sprintf(request, "{\"model\":");
  end = quote(end, model);
  end += sprintf(end, ",\"prompt\":");
  end = quote(end, prompt);
  sprintf(end, "}");

  /* An answer has a positive length, an error document a negative one. Both are ours to free. */
  int len = 0;
  char *document = liter_llm_invoke(NULL, request, &len);
  free(request);
  fprintf(len > 0 ? stdout : stderr, "%s\n", document);
  liter_llm_free(document);
  return len > 0 ? 0 : 1;
}
