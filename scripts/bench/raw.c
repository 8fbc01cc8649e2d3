/*
 * The raw-socket client in C, blocking: writes the request, reads headers and body by
 * content-length over one kept-alive connection. Floor for liter_llm_client_call.
 *
 * raw_c BASE_URL COUNT TEXT
 */
#define _POSIX_C_SOURCE 200809L
#include "common.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static int connection = -1;
static char host[64], path[256];
static int port;

static void open_connection(void) {
  struct sockaddr_in address;
  int on = 1;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)port);
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die("not an address");
  connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) die("no connection");
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Reads status line and headers up to `end`: the status, and the body's length. */
static int read_head(char *head, char *end, size_t *body) {
  int status = 0;
  *body = 0;
  if (sscanf(head, "HTTP/1.1 %d", &status) != 1) die("no HTTP");
  for (char *line = strchr(head, '\n'); line != NULL && line + 1 < end; line = strchr(line, '\n')) {
    line++;
    char *colon = memchr(line, ':', (size_t)(end - line));
    if (colon == NULL) break;
    if (colon - line == 14 && strncasecmp(line, "content-length", 14) == 0)
      *body = (size_t)strtoul(colon + 1, NULL, 10);
  }
  return status;
}

static void call(const char *text) {
  static char request[4096], answer[65536], found[65536];
  size_t have = 0, body = 0, want = 0;
  char *start = NULL;
  int length = snprintf(request, sizeof request,
                        "POST %s/chat/completions HTTP/1.1\r\nhost: %s:%d\r\nauthorization: Bearer "
                        "sk-benchmark\r\ncontent-type: application/json\r\naccept: application/json\r\n"
                        "content-length: %zu\r\n\r\n%s",
                        path, host, port, sizeof REQUEST - 1, REQUEST);
  if (connection < 0) open_connection();
  if (write(connection, request, (size_t)length) != length) die("a short write");
  while (start == NULL || have < want) {
    ssize_t got = read(connection, answer + have, sizeof answer - 1 - have);
    if (got <= 0) die("the connection was closed");
    have += (size_t)got;
    answer[have] = '\0';
    if (start == NULL && (start = strstr(answer, "\r\n\r\n")) != NULL) {
      if (read_head(answer, start + 2, &body) != 200) die("not 200");
      start += 4;
      want = (size_t)(start - answer) + body;
    }
  }
  find_string(start, "\"content\":", found, sizeof found);
  if (strcmp(found, text) != 0) die("a wrong text");
}

int main(int argc, char **argv) {
  if (argc < 4 || sscanf(argv[1], "http://%63[^:]:%d%255s", host, &port, path) != 3)
    die("usage: raw_c BASE_URL COUNT TEXT");
  run(call, atoi(argv[2]), argv[3]);
  return 0;
}
