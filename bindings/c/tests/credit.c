/*
 * credit.c - one queue for many streams. Its reader takes every event at once; a stream without credit
 * stops reading its socket all the same, holds little memory and disturbs no other. With credit all of
 * it arrives. It can be ended in every way while it waits, and credit for nothing does nothing.
 */
#include "check.h"

#define BYTES 33554432
#define CHUNKS 32768
#define STREAM_BYTES 65536
/* What one read of the socket may bring beside that (backpressure.c). */
#define ONE_READ (1 << 20)

enum { STREAM = LITER_LLM_SUBMIT_STREAM, CREDIT = LITER_LLM_SUBMIT_CREDIT };

static liter_llm_client *large, *quick;

/* What has come of a token. */
typedef struct seen {
  uint64_t payload, text, chunks;
  uint32_t last;
  char error[128];
} seen;

/* Takes what waits; whether anything came. */
static int take(liter_llm_queue *queue, records *r, seen *of, size_t most, int32_t timeout_ms) {
  liter_llm_event event;
  char *payload;
  int64_t got = read_records(queue, r, timeout_ms);
  CHECK(got >= 0, "read answered %lld", (long long)got);
  while (next_record(r, &event, &payload)) {
    CHECK(event.token <= most, "token %llu", (unsigned long long)event.token);
    seen *one = &of[event.token];
    CHECK(one->last == 0, "an event of token %llu after its last", (unsigned long long)event.token);
    if (event.kind == LITER_LLM_EVENT_CHUNK) {
      one->payload += event.len;
      one->text += content(payload);
      one->chunks += event.count;
    } else {
      one->last = event.kind;
      snprintf(one->error, sizeof one->error, "%s", payload);
    }
    free(payload);
  }
  return got > 0;
}

/* Takes everything until nothing comes any more and a socket stays full for 200 looks. */
static void wait_stall(liter_llm_queue *queue, records *r, seen *of, size_t most) {
  int64_t until = now_ms() + 60000;
  for (int same = 0, last = -1; same < 200;) {
    int came = take(queue, r, of, most, 1);
    int now = unread_in_socket();
    same = !came && now > 65536 && now == last ? same + 1 : 0;
    last = now;
    CHECK(now_ms() < until, "the socket is read on: %d bytes wait in it", now);
  }
}

static void unread_stream_beside_others(void) {
  liter_llm_queue *queue = queue_of(STREAM_BYTES);
  records r = {0};
  seen of[203] = {{0}};
  size_t heap = heap_now(), fds;
  (void)liter_llm_queue_fd(queue);
  CHECK(submit_how(large, queue, 1, CREDIT, HELLO_STREAM, "") == LITER_LLM_OK, "submit");
  wait_stall(queue, &r, of, 1);
  CHECK(of[1].payload > STREAM_BYTES / 2 && of[1].payload < STREAM_BYTES + ONE_READ,
        "%llu bytes without credit", (unsigned long long)of[1].payload);
  CHECK(heap_now() < heap + STREAM_BYTES + 4 * ONE_READ, "the heap grew by %zu", heap_now() - heap);
  fds = fds_now();

  /* Others of the same queue go on: streams with and without credit, and whole answers. */
  for (uint64_t token = 2; token <= 201; token++) {
    uint32_t how = token % 3 == 0 ? LITER_LLM_SUBMIT_WHOLE : token % 3 == 1 ? STREAM : STREAM | CREDIT;
    CHECK(submit_how(quick, queue, token, how, HELLO, "") == LITER_LLM_OK, "submit");
    while (of[token].last == 0) CHECK(take(queue, &r, of, 201, 30000), "nothing comes any more");
    CHECK(of[token].last == LITER_LLM_EVENT_RESULT, "%s", of[token].error);
  }
  /* One connection that is kept, and none of the streams has left a descriptor. */
  CHECK(fds_now() <= fds + 2, "%zu descriptors, before %zu", fds_now(), fds);
  CHECK(of[1].last == 0 && of[1].payload < STREAM_BYTES + ONE_READ, "it read on without credit");

  /* Credit in parts of a quarter is enough to the end. */
  uint64_t given = 0;
  while (of[1].last == 0) {
    while (of[1].payload - given >= STREAM_BYTES / 4) {
      CHECK(liter_llm_credit(queue, 1, STREAM_BYTES / 4) == LITER_LLM_OK, "credit");
      given += STREAM_BYTES / 4;
    }
    CHECK(take(queue, &r, of, 201, 30000), "nothing comes any more");
  }
  CHECK(of[1].last == LITER_LLM_EVENT_RESULT, "%s", of[1].error);
  CHECK(of[1].text == BYTES && of[1].chunks >= CHUNKS, "%llu bytes in %llu chunks",
        (unsigned long long)of[1].text, (unsigned long long)of[1].chunks);
  free_records(&r);
  liter_llm_queue_free(queue);
}

/* Without the flag the reads of the queue count, whatever credit says. */
static void without_the_flag(void) {
  liter_llm_queue *queue = queue_of(STREAM_BYTES);
  records r = {0};
  seen of[2] = {{0}};
  CHECK(submit_how(large, queue, 1, STREAM, HELLO, "") == LITER_LLM_OK, "submit");
  while (of[1].last == 0) CHECK(take(queue, &r, of, 1, 30000), "nothing comes any more");
  CHECK(of[1].text == BYTES, "%llu bytes", (unsigned long long)of[1].text);
  CHECK(submit_how(large, queue, 1, STREAM, HELLO, "") == LITER_LLM_OK, "submit");
  CHECK(liter_llm_credit(queue, 1, UINT64_MAX) == LITER_LLM_OK, "credit");
  UNTIL(unread_in_socket() > 65536, 60000, "credit let a stream read on that is not read");
  free_records(&r);
  liter_llm_queue_free(queue);
}

/* A stream that waits for credit can be ended in every way, and its socket closes. */
static void ended_while_it_waits(void) {
  for (int way = 0; way < 6; way++) {
    liter_llm_client *mine = client_sim("bytes=33554432,chunks=32768");
    liter_llm_queue *queue = queue_of(STREAM_BYTES);
    records r = {0};
    seen of[2] = {{0}};
    const char *limited = way == 3 ? "{\"timeout_ms\":3000}" : "";
    CHECK(submit_how(mine, queue, 1, STREAM | CREDIT, HELLO, limited) == LITER_LLM_OK, "submit");
    if (way != 3) wait_stall(queue, &r, of, 1);
    if (way == 0) CHECK(liter_llm_cancel(queue, 1) == LITER_LLM_OK, "cancel");
    if (way == 1) CHECK(liter_llm_client_close(mine, 0) == LITER_LLM_OK, "close");
    if (way == 2) CHECK(liter_llm_queue_close(queue) == LITER_LLM_OK, "close");
    if (way == 4) CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
    if (way == 5) {
      liter_llm_queue_free(queue);
    } else {
      int64_t until = now_ms() + 60000;
      while (of[1].last == 0) {
        take(queue, &r, of, 1, 1000);
        CHECK(now_ms() < until, "way %d: no last event", way);
      }
      CHECK(of[1].last == LITER_LLM_EVENT_ERROR, "way %d: it ended well", way);
      CHECK(is_kind(of[1].error, way == 3 ? "timeout" : "cancelled"), "way %d: %s", way, of[1].error);
      CHECK(liter_llm_credit(queue, 1, 1) == LITER_LLM_OK, "after the end");
      liter_llm_queue_free(queue);
    }
    UNTIL(sim_stat("requests_open") == 0, 20000, "way %d: the socket stays open", way);
    free_records(&r);
    liter_llm_client_free(mine);
  }
}

typedef struct giving {
  liter_llm_queue *queue;
  int over;
} giving;

static void *gives(void *of) {
  giving *g = (giving *)of;
  while (!__atomic_load_n(&g->over, __ATOMIC_SEQ_CST)) {
    for (uint64_t token = 0; token <= 8; token++) {
      CHECK(liter_llm_credit(g->queue, token, token % 2 ? 1024 : UINT64_MAX) == LITER_LLM_OK, "credit");
    }
  }
  return NULL;
}

/* Credit from other threads than the reader's, too much of it, for tokens that begin, end and are used
 * again. Each request ends once. */
static void from_other_threads(void) {
  giving g = {queue_of(4096), 0};
  pthread_t threads[2];
  uint8_t none[9];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, gives, &g) == 0, "pthread_create");
  for (int round = 0; round < 20; round++) {
    liter_llm_client *mine = client_sim("bytes=262144,chunks=64");
    ends out;
    memset(none, 0, sizeof none);
    for (uint64_t token = 1; token <= 8; token++) {
      CHECK(submit_how(mine, g.queue, token, STREAM | CREDIT, HELLO, "") == LITER_LLM_OK, "submit");
    }
    drain(g.queue, 8, none, 8, &out, 60000);
    CHECK(out.results == 8, "%zu results; %s", out.results, out.error);
    liter_llm_client_free(mine);
  }
  __atomic_store_n(&g.over, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  liter_llm_queue_free(g.queue);
}

/* The events were taken from the queue and consumed by nobody: an answer that breaks waits until its
 * reader has said how it reads. */
static void a_break_waits_for_credit(void) {
  for (int collects = 0; collects < 2; collects++) {
    char *config = text("{\"default_provider\":\"openai\",\"default_model\":\"sim\",\"providers\":{\"openai\":"
                        "{\"base_url\":\"%s/sim,chunks=4,fault=cut,times=1,run=credit%d/v1\","
                        "\"api_key\":\"sk-check\"}}}", env("SIM_URL"), collects);
    liter_llm_client *mine = client_of(config);
    liter_llm_queue *queue = queue_of(0);
    records r = {0};
    seen of[2] = {{0}};
    CHECK(submit_how(mine, queue, 1, STREAM | CREDIT, HELLO, "") == LITER_LLM_OK, "submit");
    while (of[1].payload == 0) CHECK(take(queue, &r, of, 1, 30000), "nothing comes");
    UNTIL(sim_stat("requests_open") == 0, 20000, "the stream does not break");
    for (int i = 0; i < 50; i++) take(queue, &r, of, 1, 1);
    CHECK(of[1].last == 0, "it did not wait: %s", of[1].error);
    if (collects) {
      CHECK(liter_llm_collect(queue, 1) == LITER_LLM_OK, "collect");
    } else {
      CHECK(liter_llm_credit(queue, 1, of[1].payload) == LITER_LLM_OK, "credit");
    }
    while (of[1].last == 0) CHECK(take(queue, &r, of, 1, 30000), "nothing comes any more");
    if (collects) {
      CHECK(of[1].last == LITER_LLM_EVENT_RESULT, "%s", of[1].error);
    } else {
      CHECK(is_kind(of[1].error, "stream_broken"), "%s", of[1].error);
    }
    free_records(&r);
    free(config);
    liter_llm_queue_free(queue);
    liter_llm_client_free(mine);
  }
}

int main(void) {
  quick = client_sim("");
  large = client_sim("bytes=33554432,chunks=32768");
  call_ok(quick);
  CHECK(liter_llm_credit(NULL, 1, 1) == LITER_LLM_E_ARGUMENT, "no queue");
  unread_stream_beside_others();
  without_the_flag();
  ended_while_it_waits();
  from_other_threads();
  a_break_waits_for_credit();
  liter_llm_client_free(large);
  liter_llm_client_free(quick);
  return 0;
}
