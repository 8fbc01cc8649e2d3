/*
 * check.h - what the hazard programs share: checks that say what failed, clients of the simulator,
 * records of a queue, and what the process and the simulator can tell about themselves.
 *
 * tests/hazards.rs starts the simulator and sets SIM_URL, SIM_TLS_URL, SIM_TLS_WRONG_URL and SIM_CA.
 * A program exits with 0, or prints the first thing that failed and exits with 1. Nothing sleeps to
 * let something happen: UNTIL looks again and again, and fails when its time is up.
 */
#ifndef CHECK_H
#define CHECK_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "liter_llm.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* memory is not what it would be: figures about it are not checked */
#else
#define SANITIZED 0
#endif

#define UNUSED __attribute__((unused))

/* CHECK(condition, "format", ...): prints and exits unless the condition holds. */
#define CHECK(condition, ...)                                                              \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      fprintf(stderr, "%s:%d: failed: %s\n  ", __FILE__, __LINE__, #condition);            \
      fprintf(stderr, __VA_ARGS__);                                                        \
      fputc('\n', stderr);                                                                 \
      fflush(stderr);                                                                      \
      _exit(1);                                                                            \
    }                                                                                      \
  } while (0)

/* UNTIL(condition, ms, "format", ...): looks every millisecond until it holds or `ms` have passed. */
#define UNTIL(condition, ms, ...)                                                          \
  do {                                                                                     \
    int64_t until_ = now_ms() + (ms);                                                      \
    while (!(condition)) {                                                                 \
      CHECK(now_ms() < until_, __VA_ARGS__);                                               \
      poll(NULL, 0, 1);                                                                    \
    }                                                                                      \
  } while (0)

UNUSED static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

UNUSED static const char *env(const char *name) {
  const char *value = getenv(name);
  CHECK(value != NULL, "%s is not set: run this through `cargo test -p liter-llm-c`", name);
  return value;
}

/* A text of its own, never freed before the end of its test: the tests' own memory is small. */
UNUSED static char *text(const char *format, ...) {
  char *out = NULL;
  va_list list;
  va_start(list, format);
  CHECK(vasprintf(&out, format, list) >= 0, "no memory");
  va_end(list);
  return out;
}

/* ---- Clients and requests ------------------------------------------------------------------ */

/* A client of this configuration document. */
UNUSED static liter_llm_client *client_of(const char *config) {
  liter_llm_client *client = NULL;
  char *error = NULL;
  int32_t status = liter_llm_client_new(config, strlen(config), &client, &error);
  CHECK(status == LITER_LLM_OK, "client_new answered %d: %s", status, error ? error : "");
  return client;
}

/* Provider "openai" at `base`. */
UNUSED static liter_llm_client *client_at(const char *base) {
  /* One attempt: these programs are about one exchange. */
  char *config = text("{\"retry\":false,\"default_provider\":\"openai\",\"default_model\":\"sim\","
                      "\"providers\":{\"openai\":{\"base_url\":\"%s\",\"api_key\":\"sk-check\"}}}", base);
  liter_llm_client *client = client_of(config);
  free(config);
  return client;
}

/* The simulator's free mode with `knobs` ("delay_ms=50,bytes=1000"; see simulator/README.md). */
UNUSED static liter_llm_client *client_sim(const char *knobs) {
  char *base = text("%s/sim,%s/v1", env("SIM_URL"), knobs);
  liter_llm_client *client = client_at(base);
  free(base);
  return client;
}

/* Sets the environment that liter_llm_invoke and liter_llm_generate take their client from. */
UNUSED static void env_sim(const char *knobs) {
  char *config = text("{\"providers\":{\"openai\":{\"base_url\":\"%s/sim,%s/v1\","
                      "\"api_key\":\"sk-check\"}}}", env("SIM_URL"), knobs);
  setenv("LITER_LLM_CONFIG", config, 1);
  setenv("LITER_LLM_PROVIDER", "openai", 1);
  setenv("LITER_LLM_MODEL", "sim", 1);
  free(config);
}

static const char *const HELLO UNUSED = "{\"prompt\":\"hello\"}";
static const char *const HELLO_STREAM UNUSED = "{\"prompt\":\"hello\",\"stream\":true}";

/* `flags` and `options` as liter_llm_submit has them. */
UNUSED static int32_t submit_how(liter_llm_client *client, liter_llm_queue *queue, uint64_t token,
                                 uint32_t flags, const char *request, const char *options) {
  return liter_llm_submit(client, queue, token, flags, request, strlen(request), options,
                          strlen(options));
}

UNUSED static int32_t submit(liter_llm_client *client, liter_llm_queue *queue, uint64_t token,
                             const char *request) {
  return submit_how(client, queue, token, 0, request, "");
}

/* A blocking call; the caller frees the document. */
UNUSED static char *call(liter_llm_client *client, const char *request, int32_t *status) {
  char *document = NULL;
  size_t len = 0;
  *status = liter_llm_client_call(client, request, strlen(request), NULL, 0, &document, &len);
  if (*status == LITER_LLM_OK || *status == LITER_LLM_FAILED) {
    CHECK(document != NULL && len > 0, "status %d without a document", *status);
    CHECK(document[len] == '\0', "the document does not end in NUL");
  }
  return document;
}

UNUSED static void call_ok(liter_llm_client *client) {
  int32_t status;
  char *document = call(client, HELLO, &status);
  CHECK(status == LITER_LLM_OK, "status %d: %s", status, document ? document : "");
  CHECK(strstr(document, "\"content\":\"") != NULL, "%s", document);
  liter_llm_free(document);
}

/* Whether an error document is of this kind. */
UNUSED static int is_kind(const char *document, const char *kind) {
  char head[64];
  snprintf(head, sizeof head, "{\"error\":{\"kind\":\"%s\"", kind);
  return strncmp(document, head, strlen(head)) == 0;
}

UNUSED static liter_llm_queue *queue_of(uint32_t stream_bytes) {
  liter_llm_queue *queue = NULL;
  int32_t status = liter_llm_queue_new(stream_bytes, &queue);
  CHECK(status == LITER_LLM_OK, "queue_new answered %d", status);
  return queue;
}

/* ---- Records -------------------------------------------------------------------------------- */

/* What one read brought; `at` moves from record to record. */
typedef struct records {
  uint8_t *buf;
  size_t cap, len, at;
} records;

/* The next record of `r`, its payload ended by NUL for the checks; 0 when there is none. */
UNUSED static int next_record(records *r, liter_llm_event *event, char **payload) {
  static const char zeros[8];
  if (r->at == r->len) return 0;
  CHECK(r->len - r->at >= sizeof *event, "a record is cut off");
  memcpy(event, r->buf + r->at, sizeof *event);
  size_t padded = ((size_t)event->len + 7) / 8 * 8;
  CHECK(r->len - r->at >= sizeof *event + padded, "a record is cut off");
  uint8_t *start = r->buf + r->at + sizeof *event;
  if (event->liter != 0) {
    CHECK(event->kind == LITER_LLM_EVENT_RESULT, "only a result has a member liter");
    CHECK(event->liter + 10 < event->len, "liter begins at %llu", (unsigned long long)event->liter);
    CHECK(memcmp(start + event->liter, ",\"liter\":{", 10) == 0, "liter begins elsewhere");
  }
  CHECK(memcmp(start + event->len, zeros, padded - event->len) == 0, "padding is not zero");
  CHECK(event->len > 0, "an event without a payload");
  if (payload != NULL) {
    *payload = (char *)malloc((size_t)event->len + 1);
    CHECK(*payload != NULL, "no memory");
    memcpy(*payload, start, event->len);
    (*payload)[event->len] = '\0';
  }
  r->at += sizeof *event + padded;
  return 1;
}

/* Reads into `r`, grown where the next event needs it; the library's answer. */
UNUSED static int64_t read_records(liter_llm_queue *queue, records *r, int32_t timeout_ms) {
  if (r->buf == NULL) {
    r->cap = 65536;
    r->buf = (uint8_t *)malloc(r->cap);
  }
  for (;;) {
    int64_t got = liter_llm_queue_read(queue, r->buf, r->cap, timeout_ms);
    if (got == LITER_LLM_E_SPACE) {
      size_t need = liter_llm_queue_next_size(queue);
      CHECK(need > r->cap, "E_SPACE, but the next event needs %zu of %zu bytes", need, r->cap);
      free(r->buf);
      r->cap = need;
      r->buf = (uint8_t *)malloc(need);
      CHECK(r->buf != NULL, "no memory");
      continue;
    }
    r->at = 0;
    r->len = got > 0 ? (size_t)got : 0;
    CHECK(r->len % 8 == 0 && r->len <= r->cap, "%lld bytes were read", (long long)got);
    return got;
  }
}

UNUSED static void free_records(records *r) {
  free(r->buf);
  memset(r, 0, sizeof *r);
}

/* The length of the texts in chunk documents of the simulator, which hold no escapes. */
UNUSED static uint64_t content(const char *payload) {
  static const char key[] = "\"content\":\"";
  uint64_t sum = 0;
  for (const char *at = payload; (at = strstr(at, key)) != NULL;) {
    at += strlen(key);
    const char *end = strchr(at, '"');
    sum += (uint64_t)(end - at);
    at = end;
  }
  return sum;
}

/* How requests ended on a queue. */
typedef struct ends {
  size_t results, errors, cancelled, chunks, chunk_events;
  uint64_t payload;
  char error[256]; /* the beginning of the last error document */
} ends;

/*
 * Reads until `wanted` requests have ended, at most `ms`. `seen`, or NULL, has a counter for each
 * token up to `max`: a second last event of a token fails, as does a chunk behind the last.
 */
UNUSED static void drain(liter_llm_queue *queue, size_t wanted, uint8_t *seen, uint64_t max,
                         ends *out, int64_t ms) {
  records r = {0};
  int64_t until = now_ms() + ms;
  memset(out, 0, sizeof *out);
  while (out->results + out->errors < wanted) {
    int64_t got = read_records(queue, &r, 1000);
    CHECK(got >= 0, "read answered %lld with %zu of %zu ended", (long long)got,
          out->results + out->errors, wanted);
    CHECK(now_ms() < until, "after %lld ms only %zu of %zu requests have ended", (long long)ms,
          out->results + out->errors, wanted);
    liter_llm_event event;
    char *payload;
    while (next_record(&r, &event, &payload)) {
      if (event.kind != LITER_LLM_EVENT_LOG && seen != NULL) {
        CHECK(event.token >= 1 && event.token <= max, "token %llu",
              (unsigned long long)event.token);
        CHECK(seen[event.token] == 0, "kind %u of token %llu after its last event", event.kind,
              (unsigned long long)event.token);
      }
      out->payload += event.len;
      if (event.kind == LITER_LLM_EVENT_CHUNK) {
        uint32_t lines = 0;
        for (uint32_t i = 0; i < event.len; i++) lines += payload[i] == '\n';
        CHECK(event.count >= 1 && lines == event.count, "%u lines, count %u", lines, event.count);
        out->chunks += event.count;
        out->chunk_events++;
      } else if (event.kind == LITER_LLM_EVENT_RESULT) {
        CHECK(event.count == 0 && event.status == 0, "count %u", event.count);
        out->results++;
        if (seen != NULL) seen[event.token] = 1;
      } else if (event.kind == LITER_LLM_EVENT_ERROR) {
        CHECK(strncmp(payload, "{\"error\":{\"kind\":\"", 18) == 0, "%s", payload);
        out->errors++;
        out->cancelled += (size_t)is_kind(payload, "cancelled");
        snprintf(out->error, sizeof out->error, "%s", payload);
        if (seen != NULL) seen[event.token] = 1;
      } else {
        CHECK(event.kind == LITER_LLM_EVENT_LOG && event.token == 0, "kind %u", event.kind);
      }
      free(payload);
    }
  }
  free_records(&r);
}

/* ---- The process and the simulator ---------------------------------------------------------- */

UNUSED static size_t entries(const char *path) {
  DIR *dir = opendir(path);
  CHECK(dir != NULL, "%s: %s", path, strerror(errno));
  size_t count = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) count += entry->d_name[0] != '.';
  closedir(dir);
  return count;
}

UNUSED static size_t threads_now(void) {
  size_t threads = entries("/proc/self/task");
#if defined(__SANITIZE_THREAD__)
  /* The sanitizer starts one for itself before the program's first. */
  threads -= threads > 1;
#endif
  return threads;
}

/* The one that looks is counted too: always one more, which does not matter to a comparison. */
UNUSED static size_t fds_now(void) { return entries("/proc/self/fd"); }

UNUSED static size_t heap_now(void) {
#if defined(__GLIBC__) && !SANITIZED
  return mallinfo2().uordblks + mallinfo2().hblkhd;
#else
  return 0;
#endif
}

/* The most bytes that wait unread in a socket of this process. */
UNUSED static int unread_in_socket(void) {
  int most = 0;
  for (int fd = 3; fd < 256; fd++) {
    int type, waiting;
    socklen_t len = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
        ioctl(fd, FIONREAD, &waiting) == 0 && waiting > most) {
      most = waiting;
    }
  }
  return most;
}

/* Where a "http://127.0.0.1:PORT" URL leads. */
UNUSED static struct sockaddr_in address_of(const char *url) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
  return address;
}

/* One request to the simulator itself; the answer is the caller's to free. */
UNUSED static char *ask_sim(const char *method, const char *path) {
  struct sockaddr_in address = address_of(env("SIM_URL"));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect: %s",
        strerror(errno));
  char *request = text("%s %s HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n"
                       "content-length: 0\r\n\r\n", method, path);
  CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request), "send");
  free(request);
  size_t len = 0, cap = 65536;
  char *answer = (char *)malloc(cap);
  for (ssize_t got; (got = recv(fd, answer + len, cap - len - 1, 0)) > 0;) len += (size_t)got;
  answer[len] = '\0';
  close(fd);
  return answer;
}

/* One of the simulator's counters, such as "requests_open". */
UNUSED static long sim_stat(const char *name) {
  char *answer = ask_sim("GET", "/_sim/stats");
  char *key = text("\"%s\":", name);
  char *found = strstr(answer, key);
  CHECK(found != NULL, "the simulator says nothing of %s: %s", name, answer);
  long value = atol(found + strlen(key));
  free(key);
  free(answer);
  return value;
}

/* Waits for a forked child, which must exit with 0. */
UNUSED static void child_ok(pid_t pid, const char *what) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid: %s", strerror(errno));
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: exit %d, signal %d", what,
        WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

#endif /* CHECK_H */
