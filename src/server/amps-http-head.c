/* SPDX-License-Identifier: MIT */
#include "amps-http-head.h"

#include <gio/gio.h>
#include <string.h>

/* Stricter than libsoup, which repairs what it can. What one reader repairs another
 * reads otherwise, and so a request hides in a request. And what libsoup refuses
 * itself leaks in some versions. */

#define MAX_FIELDS 256
#define MAX_PORT_LENGTH 5

static const AmpsHttpProblem bad_request_line = {
  400, "Invalid request", "the first line must be “METHOD TARGET HTTP/1.1”"
};
static const AmpsHttpProblem bad_target = {
  400, "Invalid request", "the target of the request is not a path or an http URI"
};
static const AmpsHttpProblem bad_version = { 505, "HTTP version not supported",
                                             "only HTTP/1.0 and HTTP/1.1 are supported" };
static const AmpsHttpProblem bad_method = { 501, "Not implemented",
                                            "the method is not an HTTP method" };
static const AmpsHttpProblem bad_field = { 400, "Invalid request",
                                           "a header field is not “NAME: VALUE” on one line" };
static const AmpsHttpProblem too_many_fields = { 431, "Request header fields too large",
                                                 "there are more than 256 header fields" };
static const AmpsHttpProblem bad_host = { 400, "Invalid request",
                                          "there must be one Host, and it must be a host" };
static const AmpsHttpProblem bad_length = { 400, "Invalid request",
                                            "the headers do not give a clear length of the body" };
static const AmpsHttpProblem bad_coding = { 501, "Not implemented",
                                            "the only Transfer-Encoding is “chunked”" };
static const AmpsHttpProblem bad_expectation = { 417, "Expectation failed",
                                                 "the only Expect is “100-continue”" };
static const AmpsHttpProblem bad_connection = {
  400, "Invalid request", "with HTTP/1.0, Connection must be “close” or “keep-alive”"
};

static gboolean
equals (const char *text, gsize length, const char *other)
{
  return strlen (other) == length && g_ascii_strncasecmp (text, other, length) == 0;
}

/**
 * amps_http_head_is_token_character:
 * @c: a character
 *
 * Returns: whether it may be in a method or the name of a field (RFC 9110, section
 *   5.6.2)
 */
gboolean
amps_http_head_is_token_character (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-.^_`|~", c) != NULL);
}

/**
 * amps_http_head_is_value:
 * @text: (array length=length): what is in a field
 * @length: its length
 *
 * Returns: whether it may be there (RFC 9110, section 5.5): no control characters
 *   other than tabs
 */
gboolean
amps_http_head_is_value (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      unsigned char c = (unsigned char) text[i];

      if ((c < ' ' && c != '\t') || c == 0x7f)
        return FALSE;
    }
  return TRUE;
}

/* Returns: how many of the first characters make a token */
static gsize
span_token (const char *text, gsize length)
{
  gsize n = 0;

  while (n < length && amps_http_head_is_token_character (text[n]))
    n++;
  return n;
}

static gboolean
is_port (const char *text, gsize length)
{
  guint64 port = 0;

  if (length == 0 || length > MAX_PORT_LENGTH)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (text[i]))
        return FALSE;
      port = port * 10 + (guint64) g_ascii_digit_value (text[i]);
    }
  return port <= G_MAXUINT16;
}

/* Returns: the length of “[ADDRESS]”, or 0 */
static gsize
span_ipv6 (const char *text, gsize length)
{
  const char *end = memchr (text, ']', length);

  if (end == NULL || memchr (text, '%', length) != NULL)
    return 0;

  g_autofree char *address = g_strndup (text + 1, (gsize) (end - text) - 1);

  return g_hostname_is_ip_address (address) && strchr (address, ':') != NULL
             ? (gsize) (end - text) + 1
             : 0;
}

static gsize
span_name (const char *text, gsize length)
{
  gsize n = 0;

  while (n < length && (g_ascii_isalnum (text[n]) || strchr ("-._~", text[n]) != NULL) &&
         text[n] != '\0')
    n++;
  return n;
}

/* A host and a port. Of names only what DNS has, or a container's name may have: no
 * percent-encoding, no user (RFC 9110, section 4.2.4). */
static gboolean
is_authority (const char *text, gsize length)
{
  gsize n = 0;

  if (length > 0)
    n = text[0] == '[' ? span_ipv6 (text, length) : span_name (text, length);
  return n > 0 && (n == length || (text[n] == ':' && is_port (text + n + 1, length - n - 1)));
}

/* A path and a query. Visible characters that RFC 3986 wants encoded are taken:
 * they mean the same to everybody. */
static gboolean
is_path (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isgraph (text[i]) || text[i] == '#')
        return FALSE;
      if (text[i] == '%' &&
          (length - i < 3 || !g_ascii_isxdigit (text[i + 1]) || !g_ascii_isxdigit (text[i + 2])))
        return FALSE;
    }
  return TRUE;
}

/* RFC 9112, section 3.2.2 */
static gboolean
is_absolute (const char *text, gsize length)
{
  static const char scheme[] = "http://";
  gsize authority = sizeof scheme - 1;
  gsize end = authority;

  if (length < authority || g_ascii_strncasecmp (text, scheme, authority) != 0)
    return FALSE;
  while (end < length && text[end] != '/' && text[end] != '?')
    end++;
  return is_authority (text + authority, end - authority) && is_path (text + end, length - end);
}

/* AMPS serves only some of them. Of the others libsoup would keep each name for ever. */
static gboolean
is_known_method (const char *text, gsize length)
{
  static const char *const methods[] = { "GET",    "POST",    "HEAD",  "PUT",
                                         "DELETE", "OPTIONS", "PATCH", "TRACE" };

  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strlen (methods[i]) == length && memcmp (methods[i], text, length) == 0)
      return TRUE;
  return FALSE;
}

static const AmpsHttpProblem *
read_target (AmpsHttpHead *self, const char *text, gsize length, gboolean is_options)
{
  self->is_for_server = is_options && length == 1 && text[0] == '*';
  if (self->is_for_server)
    return NULL;
  if (length > 0 && text[0] == '/')
    return is_path (text, length) ? NULL : &bad_target;
  return is_absolute (text, length) ? NULL : &bad_target;
}

/* RFC 9112, section 2.3 */
static const AmpsHttpProblem *
http_head_read_version (AmpsHttpHead *self, const char *text, gsize length)
{
  static const char name[] = "HTTP/";
  const gsize major = sizeof name - 1;

  if (length != strlen ("HTTP/1.1") || memcmp (text, name, major) != 0 ||
      !g_ascii_isdigit (text[major]) || text[major + 1] != '.' ||
      !g_ascii_isdigit (text[major + 2]))
    return &bad_request_line;

  self->is_http_1_0 = text[major + 2] == '0';
  return text[major] == '1' && text[major + 2] <= '1' ? NULL : &bad_version;
}

/**
 * amps_http_head_read_request_line:
 * @self: a head without any line
 * @line: (array length=length): the first line, without its CR LF
 * @length: its length
 *
 * RFC 9112, section 3.
 *
 * Returns: (transfer none) (nullable): what is wrong with it
 */
const AmpsHttpProblem *
amps_http_head_read_request_line (AmpsHttpHead *self, const char *line, gsize length)
{
  gsize method = span_token (line, length);
  const char *target = line + method + 1;
  const char *end = line + length;
  const char *space;
  const AmpsHttpProblem *problem;

  if (method == 0 || method == length || line[method] != ' ')
    return &bad_request_line;
  space = memchr (target, ' ', (gsize) (end - target));
  if (space == NULL)
    return &bad_request_line;

  problem = http_head_read_version (self, space + 1, (gsize) (end - space) - 1);
  if (problem != NULL)
    return problem;
  if (!is_known_method (line, method))
    return &bad_method;
  return read_target (self, target, (gsize) (space - target), equals (line, method, "OPTIONS"));
}

static const AmpsHttpProblem *
read_host (AmpsHttpHead *self, const char *value, gsize length)
{
  if (self->has_host || !is_authority (value, length))
    return &bad_host;

  self->has_host = TRUE;
  return NULL;
}

/* RFC 9112, section 6.3 */
static const AmpsHttpProblem *
read_length (AmpsHttpHead *self, const char *value, gsize length)
{
  if (self->has_length || self->is_chunked || length == 0)
    return &bad_length;

  self->has_length = TRUE;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (value[i]))
        return &bad_length;
      if (!g_uint64_checked_mul (&self->length, self->length, 10) ||
          !g_uint64_checked_add (&self->length, self->length,
                                 (guint64) g_ascii_digit_value (value[i])))
        self->length = G_MAXUINT64;
    }
  return NULL;
}

/* RFC 9112, section 6.1 */
static const AmpsHttpProblem *
read_coding (AmpsHttpHead *self, const char *value, gsize length)
{
  if (self->has_length || self->is_chunked || self->is_http_1_0)
    return &bad_length;

  self->is_chunked = TRUE;
  return equals (value, length, "chunked") ? NULL : &bad_coding;
}

static const AmpsHttpProblem *
read_expectation (AmpsHttpHead *self G_GNUC_UNUSED, const char *value, gsize length)
{
  return equals (value, length, "100-continue") ? NULL : &bad_expectation;
}

/* libsoup forgets the fields that are named here in HTTP/1.0, even Content-Length. */
static const AmpsHttpProblem *
read_connection (AmpsHttpHead *self, const char *value, gsize length)
{
  return !self->is_http_1_0 || equals (value, length, "close") ||
                 equals (value, length, "keep-alive")
             ? NULL
             : &bad_connection;
}

/* Those that decide how the rest is read. */
static const struct {
  const char *name;
  gsize length;
  const AmpsHttpProblem *(*read) (AmpsHttpHead *self, const char *value, gsize length);
} fields[] = {
#define FIELD(name, read)                                                                          \
  {                                                                                                \
    name, sizeof name - 1, read                                                                    \
  }
  FIELD ("Host", read_host),
  FIELD ("Content-Length", read_length),
  FIELD ("Transfer-Encoding", read_coding),
  FIELD ("Expect", read_expectation),
  FIELD ("Connection", read_connection),
#undef FIELD
};

/**
 * amps_http_head_check_field:
 * @line: (array length=length): a line, without its CR LF
 * @length: its length
 *
 * Tells whether it is a field by RFC 9112, section 5: there is no space before the
 * colon, and it does not go on from the line before.
 *
 * Returns: (transfer none) (nullable): what is wrong with it
 */
const AmpsHttpProblem *
amps_http_head_check_field (const char *line, gsize length)
{
  gsize name = span_token (line, length);

  if (name == 0 || name == length || line[name] != ':' ||
      !amps_http_head_is_value (line + name + 1, length - name - 1))
    return &bad_field;
  return NULL;
}

static gboolean
http_head_is_blank (char c)
{
  return c == ' ' || c == '\t';
}

/**
 * amps_http_head_read_field:
 * @self: a head that has its first line
 * @line: (array length=length): another line, without its CR LF
 * @length: its length, which is not 0
 *
 * Returns: (transfer none) (nullable): what is wrong with it, or with the head by it
 */
const AmpsHttpProblem *
amps_http_head_read_field (AmpsHttpHead *self, const char *line, gsize length)
{
  const AmpsHttpProblem *problem = amps_http_head_check_field (line, length);
  const char *colon, *value, *end;
  gsize name;

  if (problem != NULL)
    return problem;
  if (++self->n_fields > MAX_FIELDS)
    return &too_many_fields;

  colon = memchr (line, ':', length);
  name = (gsize) (colon - line);
  for (value = colon + 1, end = line + length; value < end && http_head_is_blank (*value);)
    value++;
  while (end > value && http_head_is_blank (end[-1]))
    end--;
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (fields[i].length == name && g_ascii_strncasecmp (fields[i].name, line, name) == 0)
      return fields[i].read (self, value, (gsize) (end - value));
  return NULL;
}

/**
 * amps_http_head_finish:
 * @self: a head that has all its lines
 *
 * Returns: (transfer none) (nullable): what is missing
 */
const AmpsHttpProblem *
amps_http_head_finish (const AmpsHttpHead *self)
{
  return self->has_host || (self->is_http_1_0 && !self->is_for_server) ? NULL : &bad_host;
}
