/* SPDX-License-Identifier: MIT */
/* To be preloaded: system calls fail as the file says that SYSTEM_FAULTS names, which has
 * one line: the number of the error, and the names of the calls. An empty file is no
 * fault. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns: whether @call is to fail now, with errno */
static int
fails (const char *call)
{
  const char *path = getenv ("SYSTEM_FAULTS");
  int before = errno;
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  char text[64] = "";

  if (fd < 0)
    return 0;

  if (read (fd, text, sizeof text - 1) < 0)
    text[0] = '\0';
  close (fd);
  errno = before;
  if (strstr (text, call) == NULL)
    return 0;

  errno = atoi (text);
  return 1;
}

#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

int
socket (int domain, int type, int protocol)
{
  return domain != AF_UNIX && fails ("socket") ? -1 : NEXT (socket) (domain, type, protocol);
}

int
accept (int fd, struct sockaddr *address, socklen_t *length)
{
  return fails ("accept") ? -1 : NEXT (accept) (fd, address, length);
}

int
accept4 (int fd, struct sockaddr *address, socklen_t *length, int flags)
{
  return fails ("accept") ? -1 : NEXT (accept4) (fd, address, length, flags);
}

ssize_t
send (int fd, const void *data, size_t length, int flags)
{
  return fails ("send") ? -1 : NEXT (send) (fd, data, length, flags);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  return fails ("send") ? -1 : NEXT (sendmsg) (fd, message, flags);
}
