/*
 * ctrl_c.c - Ctrl-C while requests are in flight: by default the process ends by the signal, at once;
 * with a handler of the host's, blocking calls and reads go on, poll(2) on a queue's descriptor
 * returns, and what the host then cancels ends.
 */
#include "check.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
  (void)number;
  interrupted++;
}

static void handle(int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_interrupt;
  action.sa_flags = flags;
  CHECK(sigaction(SIGINT, &action, NULL) == 0, "sigaction");
}

/* Starts everything that can run, says so, and waits in one of the ways to wait. */
static void busy(int way, int pipe) {
  liter_llm_client *silent = client_sim("delay_ms=60000");
  liter_llm_client *endless = client_sim("chunks=100000,interval_ms=1");
  liter_llm_queue *queue = queue_of(0), *idle = queue_of(0);
  for (uint64_t token = 1; token <= 8; token++) {
    liter_llm_client *client = token % 2 ? silent : endless;
    CHECK(submit(client, queue, token, HELLO_STREAM) == LITER_LLM_OK, "submit");
  }
  UNTIL(liter_llm_queue_next_size(queue) > 0, 10000, "no event");
  CHECK(write(pipe, "x", 1) == 1, "write");
  uint8_t buf[64];
  int32_t status;
  if (way == 0) (void)call(silent, HELLO, &status);
  if (way == 1) (void)liter_llm_queue_read(idle, buf, sizeof buf, -1);
  if (way == 2) (void)liter_llm_invoke("openai", HELLO, NULL);
  if (way == 3) {
    for (;;) pause();
  }
}

/* The default: the signal ends the process, as its parent sees. */
static void ends_the_process(void) {
  for (int i = 0; i < (SANITIZED ? 8 : 40); i++) {
    int ready[2], status = 0;
    char byte;
    CHECK(pipe(ready) == 0, "pipe");
    pid_t pid = fork(); /* nothing of the library runs here */
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
      signal(SIGINT, SIG_DFL); /* a shell's background job has it ignored */
      env_sim("delay_ms=60000");
      busy(i % 4, ready[1]);
      _exit(1);
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1, "the child did not start");
    close(ready[0]);
    CHECK(kill(pid, SIGINT) == 0, "kill");
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "run %d: exit %d, signal %d", i,
          WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  }
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
}

static int stop;

/* Every other millisecond until it is told to stop: some come while the host waits. */
static void *interrupts(void *host) {
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    CHECK(pthread_kill(*(pthread_t *)host, SIGINT) == 0, "pthread_kill");
    poll(NULL, 0, 2);
  }
  return NULL;
}

static void start_interrupts(pthread_t *thread, pthread_t *host) {
  interrupted = stop = 0;
  CHECK(pthread_create(thread, NULL, interrupts, host) == 0, "pthread_create");
}

static void end_interrupts(pthread_t thread) {
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
}

/* A handler: what the host waits for is answered, whether its calls restart or not. */
static void goes_on(void) {
  liter_llm_client *client = client_sim("delay_ms=150");
  liter_llm_queue *queue = queue_of(0);
  pthread_t thread, host = pthread_self();
  ends out = {0};
  for (int way = 0; way < 4; way++) {
    handle(way % 2 ? SA_RESTART : 0);
    start_interrupts(&thread, &host);
    if (way < 2) call_ok(client);
    if (way >= 2) {
      CHECK(submit(client, queue, 1, HELLO) == LITER_LLM_OK, "submit");
      drain(queue, 1, NULL, 0, &out, 10000);
      CHECK(out.results == 1, "%s", out.error);
    }
    end_interrupts(thread);
    CHECK(interrupted > 0, "no signal came");
  }
  liter_llm_queue_free(queue);
  liter_llm_client_free(client);
}

/* The host's own way out: poll(2) is interrupted, the host cancels, everything ends. */
static void cancels(void) {
  liter_llm_client *silent = client_sim("delay_ms=60000");
  liter_llm_queue *queue = queue_of(0);
  pthread_t thread, host = pthread_self();
  ends out = {0};
  handle(0);
  for (uint64_t token = 1; token <= 10; token++) {
    CHECK(submit(silent, queue, token, HELLO) == LITER_LLM_OK, "submit");
  }
  start_interrupts(&thread, &host);
  struct pollfd ready = {liter_llm_queue_fd(queue), POLLIN, 0};
  CHECK(poll(&ready, 1, 20000) < 0 && errno == EINTR && interrupted > 0, "poll went on");
  for (uint64_t token = 1; token <= 10; token++) {
    CHECK(liter_llm_cancel(queue, token) == LITER_LLM_OK, "cancel");
  }
  drain(queue, 10, NULL, 0, &out, 10000);
  CHECK(out.cancelled == 10, "%zu cancelled; %s", out.cancelled, out.error);
  end_interrupts(thread);
  UNTIL(sim_stat("requests_open") == 0, 20000, "sockets stay open");
  liter_llm_queue_free(queue);
  liter_llm_client_free(silent);
}

int main(void) {
  ends_the_process();
  goes_on();
  cancels();
  return 0;
}
