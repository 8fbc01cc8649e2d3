/*
 * storm.c - four threads do everything in any order: submit, cancel, read, close and free, with tokens
 * that are in use, clients freed in flight, doorbells ended while they ring, buffers of 33 bytes,
 * endless timeouts, forks in the middle, and a fifth thread that shuts the library down. Every
 * request that was taken ends once. LITER_STORM_MS and LITER_STORM_SEED set another time and order.
 */
#include "check.h"

#define THREADS 4
#define TOKENS 8
#define FORKS 10
#define OVER 0xdeadu /* a bell that is not to ring any more */

/* What a doorbell is given: freed as soon as the library says that it may be. */
typedef struct bell {
  unsigned magic;
  unsigned rings;
} bell;

/* A queue that all threads use, and one reads. The lock is for its end: "no thread may be inside". */
typedef struct slot {
  pthread_rwlock_t lock;
  liter_llm_queue *queue;
  bell *bell;
  uint64_t taken, ended;
} slot;

static slot slots[THREADS];
static int64_t until;
static uint64_t seed = 1;
static int forks;

static void rings(void *user_data) {
  bell *own = (bell *)user_data;
  CHECK(__atomic_load_n(&own->magic, __ATOMIC_SEQ_CST) == 1, "rung after its end");
  __atomic_add_fetch(&own->rings, 1, __ATOMIC_SEQ_CST);
}

/* xorshift: every thread has its own order, the same in each run of one seed. */
static uint64_t draw(uint64_t *state, uint64_t below) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state % below;
}

static int is_over(void) { return now_ms() >= until; }

static void hang(slot *own, int on) {
  bell *before = own->bell;
  own->bell = NULL;
  if (on) {
    own->bell = (bell *)calloc(1, sizeof(bell));
    own->bell->magic = 1;
  }
  CHECK(liter_llm_queue_notify(own->queue, on ? rings : NULL, own->bell) == 0, "notify");
  if (before != NULL) {
    __atomic_store_n(&before->magic, OVER, __ATOMIC_SEQ_CST);
    free(before);
  }
}

static void submit_one(liter_llm_client *client, uint64_t *state) {
  static const uint32_t flags[] = {0, LITER_LLM_SUBMIT_STREAM, LITER_LLM_SUBMIT_WHOLE,
                                   LITER_LLM_SUBMIT_INLINE};
  static const char *const options[] = {"", "{\"timeout_ms\":18446744073709551615}",
                                        "{\"timeout_ms\":1}", "{\"no\":"};
  slot *other = &slots[draw(state, THREADS)];
  pthread_rwlock_rdlock(&other->lock);
  int32_t status = submit_how(client, other->queue, 1 + draw(state, TOKENS), flags[draw(state, 4)],
                              draw(state, 8) == 0 ? "{\"prompt\":7}" : HELLO, options[draw(state, 4)]);
  if (status == LITER_LLM_OK) __atomic_add_fetch(&other->taken, 1, __ATOMIC_SEQ_CST);
  pthread_rwlock_unlock(&other->lock);
  CHECK(status == LITER_LLM_OK || status == LITER_LLM_E_ARGUMENT || status == LITER_LLM_E_CLOSED,
        "submit answered %d", status);
}

/* Reads once; the library's answer. */
static int64_t read_one(slot *own, uint64_t *state, int32_t timeout_ms) {
  uint8_t stack[4096];
  records r = {stack, 33 + draw(state, sizeof stack - 33), 0, 0};
  int64_t got = liter_llm_queue_read(own->queue, r.buf, r.cap, timeout_ms);
  uint8_t *large = NULL;
  if (got == LITER_LLM_E_SPACE) {
    r.cap = liter_llm_queue_next_size(own->queue);
    r.buf = large = (uint8_t *)malloc(r.cap);
    got = liter_llm_queue_read(own->queue, r.buf, r.cap, 0);
  }
  if (got > 0) r.len = (size_t)got;
  liter_llm_event event;
  while (next_record(&r, &event, NULL)) {
    own->ended += event.kind == LITER_LLM_EVENT_RESULT || event.kind == LITER_LLM_EVENT_ERROR;
  }
  free(large);
  return got;
}

static void make_queue(slot *own) {
  own->queue = queue_of(64);
  own->taken = own->ended = 0;
  own->bell = NULL;
}

/* The end of a queue: at once, or after each of its requests has ended once. */
static void end_queue(slot *own, uint64_t *state) {
  pthread_rwlock_wrlock(&own->lock);
  if (draw(state, 2) == 0) {
    CHECK(liter_llm_queue_close(own->queue) == 0, "close");
    int64_t give_up = now_ms() + 30000;
    while (read_one(own, state, 1000) != LITER_LLM_E_CLOSED) {
      CHECK(now_ms() < give_up, "%llu of %llu ended", (unsigned long long)own->ended,
            (unsigned long long)own->taken);
    }
    CHECK(own->ended == own->taken, "%llu of %llu ended", (unsigned long long)own->ended,
          (unsigned long long)own->taken);
  }
  bell *before = own->bell;
  liter_llm_queue_free(own->queue);
  if (before != NULL) {
    /* Freeing ends the doorbell too. */
    __atomic_store_n(&before->magic, OVER, __ATOMIC_SEQ_CST);
    free(before);
  }
  make_queue(own);
  pthread_rwlock_unlock(&own->lock);
}

/* A child of the storm's middle: what it inherited is not its own, and new things work. */
static void fork_one(liter_llm_client *client, slot *own) {
  if (__atomic_add_fetch(&forks, 1, __ATOMIC_SEQ_CST) > FORKS) return;
  pid_t pid = fork();
  CHECK(pid >= 0, "fork: %s", strerror(errno));
  if (pid == 0) {
    int32_t status;
    alarm(20);
    CHECK(call(client, HELLO, &status) == NULL && status == LITER_LLM_E_FORKED, "%d", status);
    CHECK(liter_llm_cancel(own->queue, 1) == LITER_LLM_E_FORKED, "cancel");
    liter_llm_client *fresh = client_sim("");
    call_ok(fresh);
    _exit(0);
  }
  child_ok(pid, "a child");
}

static void *storm(void *number) {
  slot *own = &slots[(uintptr_t)number];
  uint64_t state = seed * 1000003 + (uintptr_t)number + 1;
  liter_llm_client *client = client_sim("delay_ms=1,chunks=3");
  while (!is_over()) {
    slot *other = &slots[draw(&state, THREADS)];
    switch (draw(&state, 16)) {
      case 0: case 1: case 2: case 3: case 4:
        submit_one(client, &state);
        break;
      case 5: case 6: case 7:
        read_one(own, &state, (int32_t)draw(&state, 2));
        break;
      case 8: case 9:
        pthread_rwlock_rdlock(&other->lock);
        CHECK(liter_llm_cancel(other->queue, 1 + draw(&state, TOKENS)) == 0, "cancel");
        pthread_rwlock_unlock(&other->lock);
        break;
      case 10:
        hang(own, (int)draw(&state, 2));
        break;
      case 11:
        CHECK(liter_llm_queue_logs(own->queue, (int32_t)draw(&state, 5)) == 0, "logs");
        break;
      case 12:
        if (draw(&state, 4) == 0) {
          pthread_rwlock_rdlock(&other->lock);
          CHECK(liter_llm_queue_close(other->queue) == 0, "close");
          pthread_rwlock_unlock(&other->lock);
        } else {
          end_queue(own, &state);
        }
        break;
      case 13:
        liter_llm_client_free(client);
        client = client_sim("delay_ms=1,chunks=3");
        break;
      case 14: {
        int32_t status;
        char *document = call(client, HELLO, &status);
        CHECK(document != NULL, "status %d", status);
        liter_llm_free(document);
        break;
      }
      default:
        if (draw(&state, 20) == 0) fork_one(client, own);
    }
  }
  liter_llm_client_free(client);
  return NULL;
}

static void *shuts_down(void *unused) {
  (void)unused;
  while (!is_over()) {
    liter_llm_shutdown(5000);
    poll(NULL, 0, 30);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS + 1];
  const char *ms = getenv("LITER_STORM_MS"), *given = getenv("LITER_STORM_SEED");
  int64_t length = ms != NULL ? atoll(ms) : SANITIZED ? 10000 : 2000;
  if (given != NULL) seed = strtoull(given, NULL, 10);
  alarm((unsigned)(length / 1000) + 120);
  until = now_ms() + length;
  for (int i = 0; i < THREADS; i++) {
    pthread_rwlock_init(&slots[i].lock, NULL);
    make_queue(&slots[i]);
  }
  CHECK(pthread_create(&threads[THREADS], NULL, shuts_down, NULL) == 0, "pthread_create");
  for (uintptr_t i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, storm, (void *)i) == 0, "pthread_create");
  }
  for (int i = 0; i <= THREADS; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < THREADS; i++) {
    liter_llm_queue_free(slots[i].queue);
    free(slots[i].bell);
  }
  CHECK(forks > 0, "no fork in the middle: give it more time");
  liter_llm_shutdown(10000);
  return 0;
}
