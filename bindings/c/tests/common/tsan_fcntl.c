/*
 * tsan_fcntl.c - ThreadSanitizer knows that what happens before epoll_ctl happens before the epoll_wait
 * that tells of it, also on a duplicate of the descriptor, but not on one made by fcntl. tokio makes
 * its duplicate in that way. dup3 onto the duplicate changes nothing, and the sanitizer sees it.
 * scripts/tsan.py puts this in the place of fcntl (the linker's --wrap).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  /* As glibc does: commands that take an int find it in the pointer's place. */
  void *argument = va_arg(list, void *);
  va_end(list);
  int result = __real_fcntl(fd, command, argument);
  if (result >= 0 && command == F_DUPFD_CLOEXEC) return dup3(fd, result, O_CLOEXEC);
  return result;
}
