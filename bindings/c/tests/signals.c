/*
 * signals.c - the library's threads take no signal that is meant for the host, and a host with the
 * default SIGPIPE survives peers that close in the middle of a handshake, a request or an answer.
 */
#include "check.h"

static int listener;

/* Accepts and resets: at once, or after the first bytes have come. */
static void *rude_server(void *unused) {
  (void)unused;
  struct linger reset = {1, 0};
  sigset_t alarm_only; /* the kernel gives it to whichever thread takes it */
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
  for (int i = 0;; i++) {
    char byte;
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) return NULL;
    if (i % 3 != 0) (void)!recv(fd, &byte, 1, 0);
    if (i % 2 != 0) setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
  }
}

static unsigned long long mask_of(const char *tid, const char *field) {
  char *path = text("/proc/self/task/%s/status", tid);
  char line[256];
  unsigned long long mask = ~0ULL; /* of one that has just ended */
  FILE *file = fopen(path, "r");
  free(path);
  if (file == NULL) return mask;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, field, strlen(field)) == 0) sscanf(line + strlen(field), " %llx", &mask);
  }
  fclose(file);
  return mask;
}

/* Every thread but the program's own two. */
static void check_masks(const char *own, const char *server) {
  static const int blocked[] = {SIGPIPE, SIGINT,  SIGTERM, SIGHUP,  SIGCHLD, SIGALRM, SIGUSR1,
                                SIGUSR2, SIGQUIT, SIGCONT, SIGPROF, SIGVTALRM, SIGWINCH, SIGIO};
  DIR *dir = opendir("/proc/self/task");
  int seen = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    const char *tid = entry->d_name;
    if (tid[0] == '.' || strcmp(tid, own) == 0 || strcmp(tid, server) == 0) continue;
    unsigned long long mask = mask_of(tid, "SigBlk:");
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) {
      CHECK(mask >> (blocked[i] - 1) & 1, "thread %s does not block %s", tid,
            strsignal(blocked[i]));
    }
    /* A fault must still end the process: a blocked one could not be reported. */
    CHECK(!(mask >> (SIGSEGV - 1) & 1) || mask == ~0ULL, "thread %s blocks SIGSEGV", tid);
    seen++;
  }
  closedir(dir);
  CHECK(seen > 0, "the library has no threads");
  CHECK(mask_of(own, "SigBlk:") == 0, "the host's own mask has changed");
}

static pthread_t host;
static volatile sig_atomic_t alarms, elsewhere;

static void on_alarm(int number) {
  (void)number;
  alarms++;
  if (!pthread_equal(pthread_self(), host)) elsewhere++;
}

/* The host's timer fires on the host's threads only. */
static void alarms_stay_home(liter_llm_client *client) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  timer_t timer;
  struct itimerspec every = {{0, 500000}, {0, 500000}};
  CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0, "timer_create");
  CHECK(timer_settime(timer, 0, &every, NULL) == 0, "timer_settime");
  for (int i = 0; i < 100 || alarms < 20; i++) call_ok(client);
  timer_delete(timer);
  CHECK(elsewhere == 0, "%d of %d signals ran on a thread of the library", (int)elsewhere,
        (int)alarms);
}

static void fails(liter_llm_client *client, const char *request) {
  int32_t status;
  char *document = call(client, request, &status);
  CHECK(status == LITER_LLM_FAILED && is_kind(document, "connection"), "%d %s", status, document);
  liter_llm_free(document);
}

int main(void) {
  pthread_t server;
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  char own[32], other[32] = "";
  host = pthread_self();
  snprintf(own, sizeof own, "%d", (int)getpid());
  CHECK(signal(SIGPIPE, SIG_DFL) == SIG_DFL, "SIGPIPE was not at its default");

  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
  CHECK(listen(listener, 64) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0, "getsockname");
  CHECK(pthread_create(&server, NULL, rude_server, NULL) == 0, "pthread_create");
  DIR *dir = opendir("/proc/self/task");
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] != '.' && strcmp(entry->d_name, own) != 0) {
      snprintf(other, sizeof other, "%.31s", entry->d_name);
    }
  }
  closedir(dir);

  /* "localhost" has to be looked up, which takes threads of its own. */
  const char *url = env("SIM_URL");
  char *named = text("http://localhost:%s/v1", strrchr(url, ':') + 1);
  liter_llm_client *client = client_at(named);
  for (int i = 0; i < 20; i++) {
    call_ok(client);
    check_masks(own, other);
  }
  CHECK(liter_llm_shutdown(10000) == LITER_LLM_OK, "shutdown");
  call_ok(client);
  check_masks(own, other);
  alarms_stay_home(client);

  /* A large body is still being written when the peer is gone. */
  char *large = (char *)malloc((1 << 20) + 32);
  memset(large, 'x', (1 << 20) + 32);
  memcpy(large, "{\"prompt\":\"", 11);
  memcpy(large + (1 << 20), "\"}", 3);
  int port = ntohs(address.sin_port);
  char *plain = text("http://127.0.0.1:%d/v1", port), *tls = text("https://127.0.0.1:%d/v1", port);
  liter_llm_client *rude[2] = {client_at(plain), client_at(tls)};
  liter_llm_queue *queue = queue_of(0);
  for (int i = 0; i < 60; i++) {
    ends out;
    fails(rude[i % 2], i % 4 < 2 ? large : HELLO);
    for (uint64_t token = 1; token <= 8; token++) {
      CHECK(submit(rude[token % 2], queue, token, token % 4 < 2 ? large : HELLO_STREAM) == 0,
            "submit");
    }
    drain(queue, 8, NULL, 0, &out, 20000);
    CHECK(out.errors == 8, "%zu answers from a server that gives none", out.results);
  }
  shutdown(listener, SHUT_RDWR);
  pthread_join(server, NULL);
  close(listener);
  liter_llm_queue_free(queue);
  for (int i = 0; i < 2; i++) liter_llm_client_free(rude[i]);
  liter_llm_client_free(client);
  free(large);
  free(plain);
  free(tls);
  free(named);
  return 0;
}
