/*
 * backpressure.c - a stream that nobody reads holds little memory and stops reading its socket; later
 * everything arrives. It can still be cancelled, time out, and be closed, and disturbs no other.
 */
#include "check.h"

#define BYTES 33554432
#define CHUNKS 32768
#define STREAM_BYTES 65536
/* What one read of the socket may bring beside that: hyper reads up to some 400 KiB at a time, and
 * its chunks are a little longer as documents than on the wire. */
#define ONE_READ (1 << 20)

static liter_llm_client *client, *quick;

/* Waits until a socket is full and stays as full for 200 looks. */
static void wait_stall(void) {
  int64_t until = now_ms() + 60000;
  for (int same = 0, last = -1; same < 200;) {
    int now = unread_in_socket();
    same = now > 65536 && now == last ? same + 1 : 0;
    last = now;
    CHECK(now_ms() < until, "the socket is read on: %d bytes wait in it", now);
    poll(NULL, 0, 1);
  }
}

static void slow_reader(void) {
  liter_llm_queue *queue = queue_of(STREAM_BYTES);
  records r = {0};
  liter_llm_event event;
  char *payload;
  uint64_t held = 0, text_bytes = 0, chunks = 0;
  size_t heap = heap_now();
  CHECK(submit(client, queue, 1, HELLO_STREAM) == LITER_LLM_OK, "submit");
  wait_stall();
  CHECK(heap_now() < heap + STREAM_BYTES + 4 * ONE_READ, "the heap grew by %zu",
        heap_now() - heap);

  /* Others are not held up. */
  CHECK(submit(quick, queue, 2, HELLO) == LITER_LLM_OK, "submit");
  call_ok(quick);

  /* All that is held. Reading makes room: what comes meanwhile is counted too, so the reads here are
   * one large one. */
  uint8_t *buf = (uint8_t *)malloc(8 << 20);
  int64_t got = liter_llm_queue_read(queue, buf, 8 << 20, 0);
  CHECK(got > STREAM_BYTES / 2 && got < STREAM_BYTES + ONE_READ, "%lld bytes held",
        (long long)got);
  records first = {buf, 8 << 20, (size_t)got, 0};
  int others = 0;
  int over = 0;
  while (!over) {
    records *from = first.at < first.len ? &first : &r;
    if (from == &r) CHECK(read_records(queue, &r, 30000) > 0, "nothing comes any more");
    while (next_record(from, &event, &payload)) {
      held += event.len;
      if (event.token == 2) {
        CHECK(event.kind == LITER_LLM_EVENT_RESULT, "%s", payload);
        others++;
      } else if (event.kind == LITER_LLM_EVENT_CHUNK) {
        chunks += event.count;
        text_bytes += content(payload);
      } else {
        CHECK(event.kind == LITER_LLM_EVENT_RESULT, "%.300s", payload);
        over = 1;
      }
      free(payload);
    }
  }
  CHECK(others == 1, "the other request is lost");
  CHECK(text_bytes == BYTES && chunks >= CHUNKS, "%llu bytes in %llu chunks",
        (unsigned long long)text_bytes, (unsigned long long)chunks);
  free(buf);
  free_records(&r);
  liter_llm_queue_free(queue);
}

/* A stream that waits for its reader can be ended in every way, and its socket closes. */
static void ended_while_it_waits(void) {
  static const char limited[] = "{\"timeout_ms\":3000}";
  for (int way = 0; way < 5; way++) {
    liter_llm_client *mine = client_sim("bytes=33554432,chunks=32768");
    liter_llm_queue *queue = queue_of(STREAM_BYTES);
    ends out = {0};
    int64_t start = now_ms();
    size_t options = way == 3 ? strlen(limited) : 0;
    CHECK(liter_llm_submit(mine, queue, 1, 0, HELLO_STREAM, strlen(HELLO_STREAM), limited, options) ==
              LITER_LLM_OK, "submit");
    if (way != 3) wait_stall();
    if (way == 0) CHECK(liter_llm_cancel(queue, 1) == LITER_LLM_OK, "cancel");
    if (way == 1) CHECK(liter_llm_client_close(mine, 0) == LITER_LLM_OK, "close");
    if (way == 2) CHECK(liter_llm_queue_close(queue) == LITER_LLM_OK, "close");
    if (way == 3) UNTIL(now_ms() - start > 3000 && sim_stat("requests_open") == 0, 60000, "time");
    if (way == 4) {
      liter_llm_queue_free(queue);
    } else {
      UNTIL(sim_stat("requests_open") == 0, 20000, "way %d: the socket stays open", way);
      drain(queue, 1, NULL, 0, &out, 30000);
      CHECK(out.errors == 1, "way %d: it ended well", way);
      if (way == 3) {
        CHECK(strstr(out.error, "\"kind\":\"timeout\"") != NULL, "%s", out.error);
      } else {
        CHECK(out.cancelled == 1, "way %d: %s", way, out.error);
      }
      liter_llm_queue_free(queue);
    }
    UNTIL(sim_stat("requests_open") == 0, 20000, "way %d: the socket stays open", way);
    liter_llm_client_free(mine);
  }
}

int main(void) {
  quick = client_sim("");
  client = client_sim("bytes=33554432,chunks=32768");
  call_ok(quick);
  slow_reader();
  ended_while_it_waits();
  liter_llm_client_free(client);
  liter_llm_client_free(quick);
  return 0;
}
