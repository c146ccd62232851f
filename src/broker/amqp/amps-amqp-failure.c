/* SPDX-License-Identifier: MIT */
#include "amps-amqp-failure.h"

#include "base/amps-foreign-text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* In plain words, and in English like the rest of the log. */
static const char *
describe_errno (int code)
{
  switch (code)
    {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
    case EPIPE:
      return "the other side has broken the connection";
    case ETIMEDOUT:
      return "timed out";
    case EHOSTUNREACH:
      return "no route to the host";
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
      return "the network can't be reached";
    case EMFILE:
    case ENFILE:
      return "too many open files";
    default:
      return NULL;
    }
}

/**
 * amps_amqp_failure_describe:
 * @status: what rabbitmq-c has just returned, before anything else was called
 *
 * The library says “a socket error occurred” where the system knows more.
 *
 * Returns: (transfer none): what went wrong, for people
 */
const char *
amps_amqp_failure_describe (int status)
{
  const char *text = status == AMQP_STATUS_SOCKET_ERROR ? describe_errno (errno) : NULL;

  if (text != NULL)
    return text;

  switch (status)
    {
    case AMQP_STATUS_TIMEOUT:
      return "timed out";
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
      return "the host's name can't be looked up";
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_CONNECTION_CLOSED:
      return "the other side has closed the connection";
    default:
      return amqp_error_string2 (status);
    }
}

/* Returns: an errno; 0 for none */
static int
try_address (const struct addrinfo *address, int timeout)
{
  int fd = socket (address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
  socklen_t length = sizeof (int);
  int problem = 0;

  if (fd < 0)
    return errno;

  if (connect (fd, address->ai_addr, address->ai_addrlen) != 0)
    problem = errno;
  if (problem == EINPROGRESS && poll (&poll_fd, 1, timeout) != 1)
    problem = ETIMEDOUT;
  else if (problem == EINPROGRESS && getsockopt (fd, SOL_SOCKET, SO_ERROR, &problem, &length) != 0)
    problem = errno;

  close (fd);
  return problem;
}

static const char *
describe_lookup (int code)
{
  if (code == EAI_AGAIN)
    return "the host's name can't be looked up for now";
  if (code == EAI_NONAME || code == EAI_NODATA)
    return "no such host";

  return gai_strerror (code);
}

/**
 * amps_amqp_failure_dup_text:
 * @text: what the broker gives as its reason
 *
 * Returns: (transfer full): the same, fit to be shown
 */
char *
amps_amqp_failure_dup_text (amqp_bytes_t text)
{
  return amps_foreign_text_dup (text.bytes, (gssize) text.len);
}

/**
 * amps_amqp_failure_explain:
 * @host: a name or an address
 * @port: where it listens
 * @timeout: µs for each address
 *
 * Blocks. The library does not say why it could not connect, and the system only tells
 * who asks, so this tries it again.
 *
 * Returns: (transfer full): why there is no connection, for people
 */
char *
amps_amqp_failure_explain (const char *host, int port, gint64 timeout)
{
  const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
  g_autofree char *service = g_strdup_printf ("%d", port);
  struct addrinfo *addresses = NULL;
  int code = getaddrinfo (host, service, &hints, &addresses);
  int problem = 0;

  if (code != 0)
    return g_strdup (describe_lookup (code));

  for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next)
    {
      problem = try_address (address, (int) (timeout / 1000));
      if (problem == 0)
        break;
    }
  freeaddrinfo (addresses);

  if (problem == 0)
    return g_strdup ("it took no connection a moment ago");
  return g_strdup (describe_errno (problem) != NULL ? describe_errno (problem)
                                                    : g_strerror (problem));
}
