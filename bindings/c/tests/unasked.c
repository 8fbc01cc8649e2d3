/*
 * unasked.c - an answer that a server sends after the one that was asked for reaches no later call:
 * neither a blocking one, nor one that runs on the reader's thread, nor one on the library's threads.
 */
#include "check.h"

#define CALLS 10

/* What the server waits after an answer, and how many unasked answers it has sent. */
static int pause_ms, sent;

static void send_answer(int peer, const char *said) {
  char *body = text("{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\","
                    "\"message\":{\"role\":\"assistant\",\"content\":\"%s\"}}]}", said);
  char *answer = text("HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n%s", strlen(body), body);
  /* The client closes where something came unasked. */
  (void)!send(peer, answer, strlen(answer), MSG_NOSIGNAL);
  free(answer);
  free(body);
}

static void *serve(void *socket) {
  int peer = (int)(intptr_t)socket;
  char request[65536];
  while (recv(peer, request, sizeof request, 0) > 0) {
    send_answer(peer, "mine");
    /* What the test is about: the answer comes while the connection is idle. */
    poll(NULL, 0, pause_ms);
    send_answer(peer, "foreign");
    __atomic_add_fetch(&sent, 1, __ATOMIC_SEQ_CST);
  }
  close(peer);
  return NULL;
}

static void *accepts(void *socket) {
  int listener = (int)(intptr_t)socket;
  for (int peer; (peer = accept(listener, NULL, NULL)) >= 0;) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, serve, (void *)(intptr_t)peer) == 0, "pthread_create");
    pthread_detach(thread);
  }
  return NULL;
}

static char *listens(void) {
  struct sockaddr_in address = address_of("http://127.0.0.1:0");
  socklen_t len = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(bind(listener, (struct sockaddr *)&address, len) == 0, "bind: %s", strerror(errno));
  CHECK(listen(listener, 16) == 0, "listen: %s", strerror(errno));
  CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0, "getsockname");
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, accepts, (void *)(intptr_t)listener) == 0, "pthread_create");
  pthread_detach(thread);
  return text("http://127.0.0.1:%d/v1", ntohs(address.sin_port));
}

static void check_mine(const char *document) {
  CHECK(strstr(document, "\"content\":\"mine\"") != NULL, "after %d ms: %s", pause_ms, document);
}

static void blocking(liter_llm_client *client) {
  int32_t status;
  char *document = call(client, HELLO, &status);
  check_mine(document);
  liter_llm_free(document);
}

/* The answer of a call on the queue; `flags` say whose thread it runs on. */
static void queued(liter_llm_client *client, liter_llm_queue *queue, uint32_t flags) {
  records r = {0};
  liter_llm_event event;
  char *payload;
  CHECK(submit_how(client, queue, 1, flags, HELLO, "") == LITER_LLM_OK, "submit");
  CHECK(read_records(queue, &r, 20000) > 0 && next_record(&r, &event, &payload), "no event");
  check_mine(payload);
  free(payload);
  free_records(&r);
}

int main(void) {
  static const int pauses[] = {0, 5, 50, 99};
  alarm(120);
  char *base = listens();
  liter_llm_queue *queue = queue_of(0);
  for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
    pause_ms = pauses[i];
    for (int way = 0; way < 3; way++) {
      liter_llm_client *client = client_at(base);
      for (int calls = 0; calls < CALLS; calls++) {
        int before = __atomic_load_n(&sent, __ATOMIC_SEQ_CST);
        if (way == 0) blocking(client);
        else queued(client, queue, way == 1 ? LITER_LLM_SUBMIT_INLINE : 0);
        UNTIL(__atomic_load_n(&sent, __ATOMIC_SEQ_CST) > before, 20000, "no unasked answer");
      }
      liter_llm_client_free(client);
    }
  }
  liter_llm_queue_free(queue);
  free(base);
  return 0;
}
