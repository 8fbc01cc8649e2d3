/*
 * What both C sides share: the request, the rounds and their clock, and a reader that finds one
 * string in a JSON document.
 *
 * A side defines `call`, which sends REQUEST and compares the text of the answer; `run` warms up
 * and then answers each line of standard input with units, CPU seconds and wall seconds.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const char REQUEST[] =
    "{\"model\":\"gpt-4.1-mini\",\"messages\":[{\"role\":\"system\",\"content\":\"You are the assistant "
    "of an electronics shop. Answer in the customer's language, briefly and politely; name the "
    "article number where there is one; do not promise delivery dates. When the question is about "
    "a repair, ask for the serial number and the date of purchase first.\"},{\"role\":\"user\","
    "\"content\":\"Hello, I have a question about headphones that I bought.\"},{\"role\":"
    "\"assistant\",\"content\":\"Of course! Which ones are they, and what is the question?\"},"
    "{\"role\":\"user\",\"content\":\"My headphones (\\\"Aria 3\\\", article 4711-B) stopped charging "
    "last week \xe2\x80\x94 the lamp blinks red three times and goes out. I have tried two cables and "
    "another plug. What can I do?\"}],\"max_completion_tokens\":400,\"temperature\":0.2,\"seed\":7,"
    "\"user\":\"customer-20931\"}";

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

/* Writes the string behind `name` (`"content":`) without its escapes; returns its length. The
 * answers of the benchmark escape quotes, backslashes and line ends only. */
static size_t find_string(const char *json, const char *name, char *out, size_t cap) {
  const char *at = strstr(json, name);
  size_t length = 0;
  if (at == NULL) die("the answer has no text");
  at += strlen(name) + 1;
  while (*at != '"' && *at != '\0' && length + 1 < cap) {
    if (*at == '\\') at++;
    out[length++] = *at == 'n' && at[-1] == '\\' ? '\n' : *at;
    at++;
  }
  out[length] = '\0';
  return length;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run(void (*call)(const char *text), int count, const char *text) {
  char line[64];
  for (int i = 0; i < count / 4 + 1; i++) call(text);
  printf("{\"ready\": true}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    double wall = seconds(CLOCK_MONOTONIC), own = seconds(CLOCK_THREAD_CPUTIME_ID);
    double cpu = cpu_seconds();
    for (int i = 0; i < count; i++) call(text);
    cpu = cpu_seconds() - cpu;
    own = seconds(CLOCK_THREAD_CPUTIME_ID) - own;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    printf("{\"units\": %d, \"cpu\": %.6f, \"own\": %.6f, \"wall\": %.6f, \"threads\": 0}\n", count, cpu,
           own, wall);
    fflush(stdout);
  }
}

#endif
