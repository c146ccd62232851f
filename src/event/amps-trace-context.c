/* SPDX-License-Identifier: MIT */
#include "amps-trace-context.h"

#include <string.h>

#define KNOWN_FLAGS (AMPS_TRACE_SAMPLED | AMPS_TRACE_RANDOM)

/* @bytes: (nullable): where to put them */
static gboolean
read_hex (const char **at, guint8 *bytes, unsigned int n_bytes)
{
  for (unsigned int i = 0; i < n_bytes; i++, *at += 2)
    {
      /* Section 3.2.2: capitals are not allowed. */
      if (g_ascii_isupper ((*at)[0]) || !g_ascii_isxdigit ((*at)[0]) ||
          g_ascii_isupper ((*at)[1]) || !g_ascii_isxdigit ((*at)[1]))
        return FALSE;
      bytes[i] = (guint8) (g_ascii_xdigit_value ((*at)[0]) << 4 | g_ascii_xdigit_value ((*at)[1]));
    }

  return TRUE;
}

static gboolean
read_dash (const char **at)
{
  return *(*at)++ == '-';
}

static gboolean
is_zero (const guint8 *bytes, unsigned int n_bytes)
{
  guint8 all = 0;

  for (unsigned int i = 0; i < n_bytes; i++)
    all |= bytes[i];
  return all == 0;
}

/* Later versions may add to it. */
static gboolean
is_end (const char *at, guint8 version)
{
  if (*at == '\0')
    return TRUE;
  if (version == 0 || *at != '-')
    return FALSE;

  while (g_ascii_isgraph (*at))
    at++;
  return *at == '\0';
}

/**
 * amps_trace_context_parse:
 * @self: (out caller-allocates): what @text says; undefined if it says nothing
 * @text: a `traceparent` of whatever shape
 *
 * Takes versions that are not known for what is known of them, and forgets flags that
 * are not.
 *
 * Returns: whether W3C Trace Context, section 3.2, allows @text
 */
gboolean
amps_trace_context_parse (AmpsTraceContext *self, const char *text)
{
  const char *at = text;
  guint8 version;

  if (!read_hex (&at, &version, 1) || version == 0xff || !read_dash (&at) ||
      !read_hex (&at, self->trace_id, sizeof self->trace_id) || !read_dash (&at) ||
      !read_hex (&at, self->span_id, sizeof self->span_id) || !read_dash (&at) ||
      !read_hex (&at, &self->flags, 1) || !is_end (at, version))
    return FALSE;

  self->flags &= KNOWN_FLAGS;
  return !is_zero (self->trace_id, sizeof self->trace_id) &&
         !is_zero (self->span_id, sizeof self->span_id);
}

/**
 * amps_trace_context_is_traceparent:
 * @text: of whatever shape
 *
 * Returns: whether it can be a header of HTTP of that name
 */
gboolean
amps_trace_context_is_traceparent (const char *text)
{
  AmpsTraceContext context;

  return amps_trace_context_parse (&context, text);
}

static char *
write_hex (char *at, const guint8 *bytes, unsigned int n_bytes)
{
  static const char digits[] = "0123456789abcdef";

  for (unsigned int i = 0; i < n_bytes; i++)
    {
      *at++ = digits[bytes[i] >> 4];
      *at++ = digits[bytes[i] & 0xf];
    }
  *at = '\0';
  return at;
}

/**
 * amps_trace_context_format:
 * @self: a context
 * @text: (out caller-allocates): %AMPS_TRACEPARENT_SIZE bytes: the `traceparent`
 */
void
amps_trace_context_format (const AmpsTraceContext *self, char *text)
{
  static const guint8 version = 0;
  char *at = write_hex (text, &version, 1);

  *at++ = '-';
  at = write_hex (at, self->trace_id, sizeof self->trace_id);
  *at++ = '-';
  at = write_hex (at, self->span_id, sizeof self->span_id);
  *at++ = '-';
  write_hex (at, &self->flags, 1);
}

/**
 * amps_trace_context_format_trace_id:
 * @self: a context
 * @text: (out caller-allocates): %AMPS_TRACE_ID_SIZE bytes
 */
void
amps_trace_context_format_trace_id (const AmpsTraceContext *self, char *text)
{
  write_hex (text, self->trace_id, sizeof self->trace_id);
}

/**
 * amps_trace_context_format_span_id:
 * @self: a context
 * @text: (out caller-allocates): %AMPS_SPAN_ID_SIZE bytes
 */
void
amps_trace_context_format_span_id (const AmpsTraceContext *self, char *text)
{
  write_hex (text, self->span_id, sizeof self->span_id);
}

/**
 * amps_trace_context_is_sampled:
 * @self: a context
 *
 * Returns: whether its trace is recorded
 */
gboolean
amps_trace_context_is_sampled (const AmpsTraceContext *self)
{
  return (self->flags & AMPS_TRACE_SAMPLED) != 0;
}

/**
 * amps_trace_context_set_sampled:
 * @self: a context
 * @sampled: whether its trace is recorded
 */
void
amps_trace_context_set_sampled (AmpsTraceContext *self, gboolean sampled)
{
  self->flags = (guint8) ((self->flags & ~AMPS_TRACE_SAMPLED) | (sampled ? AMPS_TRACE_SAMPLED : 0));
}

static void
trace_context_draw (guint8 *bytes, unsigned int n_bytes)
{
  do
    {
      for (unsigned int i = 0; i < n_bytes; i += 4)
        {
          guint32 number = g_random_int ();

          memcpy (bytes + i, &number, sizeof number);
        }
    }
  while (is_zero (bytes, n_bytes));
}

/**
 * amps_trace_context_begin:
 * @self: (out caller-allocates): a place that nothing else has
 * @parent: (nullable): where it belongs; %NULL for a trace of its own
 *
 * Draws an id, and takes over the flags of @parent.
 */
void
amps_trace_context_begin (AmpsTraceContext *self, const AmpsTraceContext *parent)
{
  if (parent != NULL)
    {
      *self = *parent;
    }
  else
    {
      trace_context_draw (self->trace_id, sizeof self->trace_id);
      self->flags = AMPS_TRACE_RANDOM;
    }
  trace_context_draw (self->span_id, sizeof self->span_id);
}
