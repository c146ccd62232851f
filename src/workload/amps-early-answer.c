/* SPDX-License-Identifier: MIT */
#include "amps-early-answer.h"

#include "base/amps-foreign-text.h"
#include "http/amps-retry-after.h"

#include <errno.h>
#include <fcntl.h>
#include <libsoup/soup.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of head and body: what is shown is shorter. */
#define MAX_READ (16 * 1024)

struct _AmpsEarlyAnswer {
  int fd; /* (owned) of the connection, which outlives libsoup's */
};

/**
 * amps_early_answer_new:
 * @socket: a connection without TLS
 *
 * Keeps what comes on @socket readable after its other owner has closed it.
 *
 * Returns: (transfer full) (nullable): %NULL if there are no descriptors left
 */
AmpsEarlyAnswer *
amps_early_answer_new (GSocket *socket)
{
  int fd = fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 0);
  AmpsEarlyAnswer *self;

  if (fd < 0)
    return NULL;

  self = g_new (AmpsEarlyAnswer, 1);
  self->fd = fd;
  return self;
}

/**
 * amps_early_answer_free:
 * @self: (transfer full): what may be an early answer
 */
void
amps_early_answer_free (AmpsEarlyAnswer *self)
{
  close (self->fd);
  g_free (self);
}

static gsize
early_answer_receive (AmpsEarlyAnswer *self, char *buffer, gsize size)
{
  gsize length = 0;
  gssize got;

  do
    {
      got = recv (self->fd, buffer + length, size - length, MSG_DONTWAIT);
      length += got > 0 ? (gsize) got : 0;
    }
  while ((got > 0 && length < size) || (got < 0 && errno == EINTR));

  return length;
}

/* Returns: length of the head with the empty line that ends it; 0 if it is not whole */
static gsize
find_end_of_head (const char *text, gsize length)
{
  const char *end = g_strstr_len (text, (gssize) length, "\r\n\r\n");

  return end != NULL ? (gsize) (end - text) + strlen ("\r\n\r\n") : 0;
}

/* In sync mode the answer is the outcome, and must be there as a whole. */
static gboolean
can_be_used (unsigned int status, SoupMessageHeaders *headers, gboolean sync)
{
  return !sync || status / 100 != 2 || status == SOUP_STATUS_ACCEPTED ||
         status == SOUP_STATUS_NO_CONTENT || soup_message_headers_get_content_length (headers) == 0;
}

static AmpsAnswer *
early_answer_make_answer (unsigned int status, SoupMessageHeaders *headers, const char *body,
                          gsize length)
{
  AmpsAnswer *answer = amps_answer_new (AMPS_ANSWER_STATUS, status);

  answer->retry_after =
      amps_retry_after_parse (soup_message_headers_get_one (headers, "Retry-After"));
  answer->length = length;
  if (status / 100 != 2 && length > 0)
    answer->detail = amps_foreign_text_dup (body, (gssize) length);
  return answer;
}

/**
 * amps_early_answer_read:
 * @self: what may be an early answer
 * @sync: whether the answer is the outcome
 *
 * Takes what has come. Does not block.
 *
 * Returns: (transfer full) (nullable): the answer, if there is one
 */
AmpsAnswer *
amps_early_answer_read (AmpsEarlyAnswer *self, gboolean sync)
{
  g_autofree char *buffer = g_malloc (MAX_READ);
  gsize length = early_answer_receive (self, buffer, MAX_READ);
  const char *text = buffer;
  gsize head;

  while ((head = find_end_of_head (text, length)) > 0)
    {
      g_autoptr (SoupMessageHeaders) headers =
          soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
      unsigned int status;

      if (!soup_headers_parse_response (text, (int) head, headers, NULL, &status, NULL))
        return NULL;
      text += head;
      length -= head;
      if (status / 100 != 1)
        return can_be_used (status, headers, sync)
                   ? early_answer_make_answer (status, headers, text, length)
                   : NULL;
    }

  return NULL;
}
