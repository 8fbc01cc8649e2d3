/*
 * slow_names.c - a getaddrinfo in place of the system's: names that begin with "slow" take 20 s and
 * are not found, names that begin with "healthy" are those of this machine. A program includes it, or
 * is started with LD_PRELOAD on it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  if (node != NULL && strncmp(node, "slow", 4) == 0) {
    sleep(20);
    return EAI_AGAIN;
  }
  if (node != NULL && strncmp(node, "healthy", 7) == 0) node = "127.0.0.1";
  return real(node, service, hints, out);
}
