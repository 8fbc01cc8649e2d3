/*
 * generate.c - the short form answers as snprintf does: the whole length, a NUL, never a character
 * cut in two, never a byte behind the buffer.
 */
#include "check.h"

#define PROMPT "a\xc3\xa4\xc3\xb6 \xe2\x82\xac \xf0\x9f\x98\x80"
#define ANSWER "You said: " PROMPT

/* Whether a text may be cut in front of this byte. */
static int starts_character(char byte) { return ((unsigned char)byte & 0xc0) != 0x80; }

int main(void) {
  env_sim("");
  char buf[256];
  int64_t whole = liter_llm_generate(PROMPT, 16, 0.7f, buf, sizeof buf);
  CHECK(whole == (int64_t)strlen(ANSWER) && strcmp(buf, ANSWER) == 0, "%lld %s", (long long)whole,
        buf);

  for (size_t size = 1; size <= strlen(ANSWER) + 2; size++) {
    memset(buf, '#', sizeof buf);
    int64_t len = liter_llm_generate(PROMPT, 0, -1.0f, buf, size);
    CHECK(len == whole, "%lld", (long long)len);
    size_t got = strlen(buf);
    CHECK(got < size && got + 4 >= (size <= strlen(ANSWER) ? size : strlen(ANSWER)),
          "%zu of %zu bytes", got, size);
    CHECK(memcmp(buf, ANSWER, got) == 0 && starts_character(ANSWER[got]), "cut at %zu", got);
    for (size_t i = got + 1; i < sizeof buf; i++) CHECK(buf[i] == '#', "wrote byte %zu", i);
  }
  CHECK(liter_llm_generate(PROMPT, 0, -1.0f, NULL, 0) == whole, "no buffer");
  buf[0] = '#';
  CHECK(liter_llm_generate(PROMPT, 0, -1.0f, buf, 0) == whole && buf[0] == '#', "no room");

  int64_t failed = liter_llm_generate(NULL, 0, 0.0f, buf, sizeof buf);
  CHECK(failed < 0 && (size_t)-failed == strlen(buf) && strstr(buf, "NULL") != NULL, "%s", buf);
  failed = liter_llm_generate("\xff", 0, 0.0f, buf, 8);
  CHECK(failed < -8 && strlen(buf) == 7, "%lld %s", (long long)failed, buf);
  for (int i = 0; i < 2; i++) {
    float none = i ? 1.0f / 0.0f : 0.0f / 0.0f;
    failed = liter_llm_generate("hi", 0, none, buf, sizeof buf);
    CHECK(failed < 0 && strstr(buf, "temperature") != NULL, "%f: %s", (double)none, buf);
  }
  return 0;
}
