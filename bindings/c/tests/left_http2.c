/*
 * left_http2.c - an HTTP/2 server that leaves while nobody calls gets its connections closed, although
 * those of blocking calls run on their callers' threads only. The next call opens a new one.
 */
#include "check.h"

#define THREADS 4

static int listener, calls_begun, answered, left, closed;
static liter_llm_client *client;

/* Reads exactly that much. 0: the other end has closed. */
static int read_all(int fd, unsigned char *out, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t got = recv(fd, out + at, length - at, 0);
    if (got <= 0) return 0;
    at += (size_t)got;
  }
  return 1;
}

/* A frame (RFC 9113, 4.1). */
static void frame(int fd, int kind, int flags, uint32_t stream, const char *payload, size_t length) {
  unsigned char head[9] = {(unsigned char)(length >> 16), (unsigned char)(length >> 8),
                           (unsigned char)length, (unsigned char)kind, (unsigned char)flags,
                           (unsigned char)(stream >> 24), (unsigned char)(stream >> 16),
                           (unsigned char)(stream >> 8), (unsigned char)stream};
  CHECK(send(fd, head, 9, MSG_NOSIGNAL) == 9, "send");
  CHECK(send(fd, payload, length, MSG_NOSIGNAL) == (ssize_t)length, "send");
}

/* Answers one request on a connection, says that it leaves, and waits until the client has closed. */
static void *serves(void *argument) {
  static const char answer[] =
      "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,"
      "\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"hello\"}}]}";
  int fd = (int)(intptr_t)argument;
  unsigned char head[24];
  unsigned char payload[1 << 14];
  CHECK(read_all(fd, head, 24), "no preface");
  frame(fd, 4, 0, 0, "", 0); /* SETTINGS */
  for (;;) {
    CHECK(read_all(fd, head, 9), "no request");
    size_t length = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    uint32_t stream = (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
    CHECK(length <= sizeof payload && read_all(fd, payload, length), "a frame of %zu bytes", length);
    if (head[3] == 4 && head[4] == 0) frame(fd, 4, 1, 0, "", 0); /* acknowledged */
    if (head[3] != 0 || (head[4] & 1) == 0) continue;             /* until the request's last DATA */
    /* All calls are here before one is answered, so that each has a connection of its own. */
    __atomic_add_fetch(&calls_begun, 1, __ATOMIC_SEQ_CST);
    UNTIL(__atomic_load_n(&calls_begun, __ATOMIC_SEQ_CST) >= THREADS, 20000, "%d calls", calls_begun);
    frame(fd, 1, 4, stream, "\x88", 1); /* status 200 (RFC 7541, appendix A) */
    frame(fd, 0, 1, stream, answer, strlen(answer));
    break;
  }
  UNTIL(__atomic_load_n(&answered, __ATOMIC_SEQ_CST) >= THREADS, 20000, "%d answers", answered);
  CHECK(shutdown(fd, SHUT_WR) == 0, "shutdown");
  __atomic_add_fetch(&left, 1, __ATOMIC_SEQ_CST);
  while (recv(fd, payload, sizeof payload, 0) > 0) {}
  __atomic_add_fetch(&closed, 1, __ATOMIC_SEQ_CST);
  close(fd);
  return NULL;
}

static void *accepts(void *unused) {
  (void)unused;
  for (;;) {
    pthread_t thread;
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) return NULL;
    CHECK(pthread_create(&thread, NULL, serves, (void *)(intptr_t)fd) == 0, "pthread_create");
    pthread_detach(thread);
  }
}

static void *calls(void *unused) {
  (void)unused;
  call_ok(client);
  __atomic_add_fetch(&answered, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

int main(void) {
  pthread_t server, threads[THREADS];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  alarm(120);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 16) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
  CHECK(pthread_create(&server, NULL, accepts, NULL) == 0, "pthread_create");

  char *config = text("{\"retry\":false,\"default_provider\":\"compatible\",\"default_model\":\"m\",\"providers\":"
                      "{\"compatible\":{\"base_url\":\"http://127.0.0.1:%d\",\"http\":\"2\"}}}",
                      ntohs(address.sin_port));
  client = client_of(config);
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, calls, NULL) == 0, "pthread_create");
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  /* Nobody calls meanwhile. */
  UNTIL(__atomic_load_n(&closed, __ATOMIC_SEQ_CST) == THREADS, 20000, "%d of %d closed", closed, left);
  call_ok(client);

  liter_llm_client_free(client);
  shutdown(listener, SHUT_RDWR);
  pthread_join(server, NULL);
  close(listener);
  free(config);
  return 0;
}
