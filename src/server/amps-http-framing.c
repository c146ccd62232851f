/* SPDX-License-Identifier: MIT */
#include "amps-http-framing.h"

#include <string.h>

/* Less than libsoup takes: the head 64 KiB, and the lines between chunks 128 bytes. */
#define MAX_HEAD (32 * 1024)
#define MAX_CHUNK_LINE 100
#define MAX_TRAILER 4096
/* RFC 9112, section 2.2: some clients send one after a body. */
#define MAX_EMPTY_LINES 1

typedef enum {
  STATE_REQUEST_LINE,
  STATE_FIELD,
  STATE_BODY,
  STATE_CHUNK_LINE,
  STATE_CHUNK,
  STATE_CHUNK_END,
  STATE_TRAILER,
} State;

static const AmpsHttpProblem bad_line = {
  400, "Invalid request", "a line does not end with CR LF, or has one of them elsewhere"
};
static const AmpsHttpProblem not_http = { 400, "Invalid request", "this is not HTTP" };
static const AmpsHttpProblem long_target = { 414, "URI too long",
                                             "the first line is over the limit of 32 KiB" };
static const AmpsHttpProblem long_head = { 431, "Request header fields too large",
                                           "the headers are over the limit of 32 KiB" };
static const AmpsHttpProblem bad_chunk = { 400, "Invalid request",
                                           "the body is not made of valid chunks" };
static const AmpsHttpProblem large_body = { 413, "Body too large",
                                            "the body is over the limit (MAX_BODY_SIZE)" };

/* What is looked at: the first @passed bytes may be passed on. */
typedef struct {
  char *data;
  gsize length;
  gsize passed;
} Window;

/* @limit: of the line and those before it that are kept
 *
 * Returns: (nullable): the start of the line, once all of it is there; @size is with
 * its end then */
static const char *
find_line (AmpsHttpFraming *self, const Window *window, gsize limit,
           const AmpsHttpProblem *too_long, gsize *size)
{
  const char *start = window->data + window->passed + self->line;
  gsize available = window->length - window->passed - self->line;
  const char *end = NULL;

  if (available > self->searched)
    end = memchr (start + self->searched, '\n', available - self->searched);
  self->searched = end == NULL ? available : 0;
  *size = end == NULL ? available + 1 : (gsize) (end - start) + 1;
  if (self->line + *size > limit)
    self->problem = too_long;
  else if (end != NULL && (*size < 2 || end[-1] != '\r'))
    self->problem = &bad_line;
  return end != NULL && self->problem == NULL ? start : NULL;
}

static void
drop (AmpsHttpFraming *self, Window *window, gsize size)
{
  char *start = window->data + window->passed + self->line;

  window->length -= size;
  memmove (start, start + size, window->length - window->passed - self->line);
}

static void
expect_request (AmpsHttpFraming *self)
{
  self->state = STATE_REQUEST_LINE;
  self->head = (AmpsHttpHead){ 0 };
  self->line = 0;
  self->n_empty = 0;
}

static gboolean
read_request_line (AmpsHttpFraming *self, Window *window)
{
  gsize size;
  const char *line;
  char first;

  if (window->length == window->passed)
    return FALSE;
  /* Such as TLS, in which no line might ever end. */
  first = window->data[window->passed];
  if (first != '\r' && !amps_http_head_is_token_character (first))
    {
      self->problem = &not_http;
      return FALSE;
    }

  line = find_line (self, window, MAX_HEAD, &long_target, &size);
  if (line == NULL)
    return FALSE;
  if (size == strlen ("\r\n") && self->n_empty < MAX_EMPTY_LINES)
    {
      self->n_empty++;
      drop (self, window, size);
      return TRUE;
    }

  self->problem = amps_http_head_read_request_line (&self->head, line, size - 2);
  self->state = STATE_FIELD;
  self->line = size;
  return TRUE;
}

static void
expect_body (AmpsHttpFraming *self)
{
  self->line = 0;
  self->body = 0;
  self->left = self->head.length;
  if (self->head.is_chunked)
    self->state = STATE_CHUNK_LINE;
  else if (self->left > 0)
    self->state = STATE_BODY;
  else
    expect_request (self);
}

static gboolean
read_field (AmpsHttpFraming *self, Window *window)
{
  gsize size;
  const char *line = find_line (self, window, MAX_HEAD, &long_head, &size);

  if (line == NULL)
    return FALSE;
  if (size > strlen ("\r\n"))
    {
      self->problem = amps_http_head_read_field (&self->head, line, size - 2);
      self->line += size;
      return TRUE;
    }

  self->problem = amps_http_head_finish (&self->head);
  if (self->problem == NULL && self->head.length > G_MAXINT64)
    self->problem = &large_body;
  if (self->problem == NULL)
    {
      window->passed += self->line + size;
      expect_body (self);
    }
  return TRUE;
}

/* Returns: whether all has come that was expected */
static gboolean
pass_bytes (AmpsHttpFraming *self, Window *window)
{
  gsize n = (gsize) MIN (self->left, window->length - window->passed);

  window->passed += n;
  self->left -= n;
  return self->left == 0;
}

/* RFC 9112, section 7.1; extensions are ignored. */
static const AmpsHttpProblem *
read_chunk_size (const char *line, gsize length, guint64 *size)
{
  gsize n = 0;

  *size = 0;
  for (; n < length && g_ascii_isxdigit (line[n]); n++)
    {
      if (*size > G_MAXUINT64 >> 4)
        return &large_body;
      *size = *size << 4 | (guint64) g_ascii_xdigit_value (line[n]);
    }
  if (n == 0 || (n < length && line[n] != ';') || !amps_http_head_is_value (line + n, length - n))
    return &bad_chunk;
  return NULL;
}

static gboolean
read_chunk_line (AmpsHttpFraming *self, Window *window)
{
  gsize size;
  const char *line = find_line (self, window, MAX_CHUNK_LINE, &bad_chunk, &size);

  if (line == NULL)
    return FALSE;

  self->problem = read_chunk_size (line, size - 2, &self->left);
  if (self->problem == NULL && self->left > self->max_body - self->body)
    self->problem = &large_body;
  if (self->problem != NULL)
    return FALSE;

  window->passed += size;
  self->body += self->left;
  self->trailer = 0;
  self->state = self->left > 0 ? STATE_CHUNK : STATE_TRAILER;
  return TRUE;
}

static gboolean
read_chunk_end (AmpsHttpFraming *self, Window *window)
{
  static const char end[] = "\r\n";
  const gsize size = sizeof end - 1;
  gsize available = MIN (window->length - window->passed, size);

  if (memcmp (window->data + window->passed, end, available) != 0)
    self->problem = &bad_chunk;
  if (self->problem != NULL || available < size)
    return FALSE;

  window->passed += size;
  self->state = STATE_CHUNK_LINE;
  return TRUE;
}

/* What is in it is not for libsoup: some versions take its second line for the
 * next request. */
static gboolean
read_trailer (AmpsHttpFraming *self, Window *window)
{
  gsize size;
  const char *line = find_line (self, window, MAX_TRAILER - self->trailer, &long_head, &size);

  if (line == NULL)
    return FALSE;
  if (size == strlen ("\r\n"))
    {
      window->passed += size;
      expect_request (self);
      return TRUE;
    }

  self->problem = amps_http_head_check_field (line, size - 2);
  self->trailer += size;
  drop (self, window, size);
  return TRUE;
}

/* Returns: whether there may be more to do with what is there */
static gboolean
step (AmpsHttpFraming *self, Window *window)
{
  switch ((State) self->state)
    {
    case STATE_REQUEST_LINE:
      return read_request_line (self, window);
    case STATE_FIELD:
      return read_field (self, window);
    case STATE_BODY:
      if (!pass_bytes (self, window))
        return FALSE;
      expect_request (self);
      return TRUE;
    case STATE_CHUNK_LINE:
      return read_chunk_line (self, window);
    case STATE_CHUNK:
      if (!pass_bytes (self, window))
        return FALSE;
      self->state = STATE_CHUNK_END;
      return TRUE;
    case STATE_CHUNK_END:
      return read_chunk_end (self, window);
    case STATE_TRAILER:
      return read_trailer (self, window);
    }
  g_return_val_if_reached (FALSE);
}

/**
 * amps_http_framing_init:
 * @self: memory for it
 * @max_body: bytes that a body may have that comes in chunks; who gets the heads
 *   sees for itself how long the others are
 *
 * Nothing has come yet.
 */
void
amps_http_framing_init (AmpsHttpFraming *self, gsize max_body)
{
  *self = (AmpsHttpFraming){ .max_body = max_body };
  expect_request (self);
}

/**
 * amps_http_framing_filter:
 * @self: a framing
 * @data: (array length=length): what was not passed before, and what has come since
 * @length: (inout): its length, which shrinks when something is left out
 *
 * Looks at what has come. A head is passed when all of it is there and good, so
 * nothing of a bad one ever is.
 *
 * Returns: how many of the first bytes may be passed on; the others are to be kept
 *   until more has come
 */
gsize
amps_http_framing_filter (AmpsHttpFraming *self, char *data, gsize *length)
{
  Window window = { data, *length, 0 };

  while (self->problem == NULL && step (self, &window))
    ;
  *length = window.length;
  return window.passed;
}

/**
 * amps_http_framing_get_problem:
 * @self: a framing
 *
 * Returns: (transfer none) (nullable): why nothing more will be passed
 */
const AmpsHttpProblem *
amps_http_framing_get_problem (const AmpsHttpFraming *self)
{
  return self->problem;
}
