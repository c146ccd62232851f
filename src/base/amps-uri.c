/* SPDX-License-Identifier: MIT */
#include "amps-uri.h"

#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* RFC 3986 */
#define UNRESERVED LETTERS DIGITS "-._~"

/* Pointers into a URI that has an authority. */
typedef struct {
  const char *authority;
  const char *at_sign; /* (nullable) behind the user */
  const char *host;
  const char *host_end;
  const char *port; /* (nullable) its digits, perhaps none */
  const char *path; /* or the end of the authority */
  const char *end;  /* of the path */
} Parts;

static gsize
get_scheme_length (const char *uri)
{
  gsize length = strspn (uri, LETTERS DIGITS "+-.");

  return g_ascii_isalpha (*uri) && uri[length] == ':' ? length : 0;
}

static gboolean
has_scheme (const char *uri, const char *scheme)
{
  gsize length = strlen (scheme);

  return get_scheme_length (uri) == length && g_ascii_strncasecmp (uri, scheme, length) == 0;
}

/* Each % is followed by two hexadecimal digits. */
static gboolean
is_well_encoded (const char *uri)
{
  for (const char *at = strchr (uri, '%'); at != NULL; at = strchr (at + 1, '%'))
    {
      if (!g_ascii_isxdigit (at[1]) || !g_ascii_isxdigit (at[2]))
        return FALSE;
    }

  return TRUE;
}

static gboolean
consists_of (const char *text, const char *end, const char *allowed)
{
  return text + strspn (text, allowed) >= end;
}

/* Names in other scripts are allowed. */
static gboolean
is_host_name (const char *text, const char *end)
{
  while (text < end && (strchr (UNRESERVED, *text) != NULL || (guchar) *text >= 0x80))
    text++;

  return text == end;
}

static gboolean
split_host (Parts *parts)
{
  const char *bracket = *parts->host == '[' ? strchr (parts->host, ']') : NULL;
  const char *colon;

  if (bracket != NULL && bracket < parts->path)
    {
      parts->host_end = bracket + 1;
      colon = parts->host_end;
      if (!consists_of (parts->host + 1, bracket, UNRESERVED ":%"))
        return FALSE;
    }
  else
    {
      colon = memchr (parts->host, ':', (gsize) (parts->path - parts->host));
      parts->host_end = colon != NULL ? colon : parts->path;
      if (!is_host_name (parts->host, parts->host_end))
        return FALSE;
    }

  if (parts->host_end == parts->path)
    return TRUE;
  parts->port = parts->host_end + 1;
  return *colon == ':' && consists_of (parts->port, parts->path, DIGITS);
}

/* No fragment, and one @ at most: a password that was not encoded has more, or
 * its own is behind what looks like the end of the authority. */
static gboolean
uri_split (const char *uri, Parts *parts)
{
  gsize scheme = get_scheme_length (uri);

  if (scheme == 0 || !g_str_has_prefix (uri + scheme, "://"))
    return FALSE;

  parts->authority = uri + scheme + strlen ("://");
  parts->path = parts->authority + strcspn (parts->authority, "/?");
  parts->end = parts->path + strcspn (parts->path, "?");
  parts->at_sign = strchr (uri, '@');
  parts->host = parts->at_sign != NULL ? parts->at_sign + 1 : parts->authority;
  parts->port = NULL;

  if (strpbrk (uri, "# ") != NULL || !is_well_encoded (uri))
    return FALSE;
  if (parts->at_sign != NULL &&
      (parts->at_sign > parts->path || strchr (parts->host, '@') != NULL ||
       parts->authority + strcspn (parts->authority, "[]") < parts->at_sign))
    return FALSE;
  return split_host (parts);
}

static gboolean
is_bad_port (const Parts *parts)
{
  g_autofree char *digits = NULL;

  /* The default, as if there were no colon. */
  if (parts->port == NULL || parts->port == parts->path)
    return FALSE;

  digits = g_strndup (parts->port, (gsize) (parts->path - parts->port));
  return !g_ascii_string_to_unsigned (digits, 10, 1, G_MAXUINT16, NULL, NULL);
}

/**
 * amps_uri_check:
 * @uri: what should be a URI with an authority, as of RFC 3986
 *
 * Stricter than a parser, which has to decide for one way to read it: that must
 * not show half of a password as the host. Callable from any thread.
 *
 * Returns: what is wrong with it
 */
AmpsUriFault
amps_uri_check (const char *uri)
{
  Parts parts;

  if (!uri_split (uri, &parts))
    return AMPS_URI_UNCLEAR;
  return is_bad_port (&parts) ? AMPS_URI_BAD_PORT : AMPS_URI_CLEAR;
}

/**
 * amps_uri_hide:
 * @uri: a URI, valid or not
 *
 * Shows nothing but a scheme that everybody knows: what else stands there may be
 * a secret, too. Callable from any thread.
 *
 * Returns: (transfer full): `***`, behind such a scheme
 */
char *
amps_uri_hide (const char *uri)
{
  static const char *const known[] = {
    "amqp://", "amqps://", "http://", "https://", "tcp://", "udp://", "sqlite:", "unix:",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (g_ascii_strncasecmp (uri, known[i], strlen (known[i])) == 0)
        return g_strconcat (known[i], "***", NULL);
    }

  return g_strdup ("***");
}

/* Behind the user in front of a password. A user alone may be a token, and an
 * encoded colon in it the one that divides both. */
static const char *
find_end_of_user (const Parts *parts)
{
  const char *colon = strchr (parts->authority, ':');
  gboolean is_plain = strcspn (parts->authority, "%") > strcspn (parts->authority, ":");

  return colon < parts->at_sign && is_plain ? colon + 1 : parts->authority;
}

static char *
show_parts (const char *uri, const Parts *parts)
{
  const char *query = *parts->end != '\0' ? "?***" : "";

  if (parts->at_sign == NULL)
    return g_strdup_printf ("%.*s%s", (int) (parts->end - uri), uri, query);

  return g_strdup_printf ("%.*s***%.*s%s", (int) (find_end_of_user (parts) - uri), uri,
                          (int) (parts->end - parts->at_sign), parts->at_sign, query);
}

/* Of a file or a socket, which have no password. */
static char *
show_path (const char *uri, const char *path)
{
  const char *end = path + strcspn (path, "?");

  if (strchr (uri, '@') != NULL)
    return g_strdup_printf ("%.*s***", (int) (path - uri), uri);
  return g_strdup_printf ("%.*s%s", (int) (end - uri), uri, *end != '\0' ? "?***" : "");
}

/**
 * amps_uri_redact:
 * @uri: a URI, valid or not
 *
 * What can be read in more than one way is hidden but for its scheme. Callable
 * from any thread.
 *
 * Returns: (transfer full): @uri with `***` for what may be secret: the password
 *   and the query
 */
char *
amps_uri_redact (const char *uri)
{
  const char *rest = uri + get_scheme_length (uri) + 1;
  Parts parts;

  if (*uri == '\0')
    return g_strdup ("");
  if (has_scheme (uri, "sqlite"))
    return g_str_has_prefix (rest, "///") || g_str_has_prefix (rest, ":memory:")
               ? show_path (uri, rest)
               : amps_uri_hide (uri);
  if (has_scheme (uri, "unix"))
    return *rest == '/' ? show_path (uri, rest) : amps_uri_hide (uri);

  if (!uri_split (uri, &parts))
    return amps_uri_hide (uri);
  /* The port 0 is a port; a greater one than there are may be a password without a host. */
  if (is_bad_port (&parts) && !(parts.port[0] == '0' && parts.port + 1 == parts.path))
    return amps_uri_hide (uri);
  return show_parts (uri, &parts);
}

/**
 * amps_uri_normalise:
 * @uri: a URI, valid or not
 *
 * Returns: (transfer full): @uri with its scheme in lower case, which means the
 *   same
 */
char *
amps_uri_normalise (const char *uri)
{
  gsize length = get_scheme_length (uri);
  g_autofree char *scheme = g_ascii_strdown (uri, (gssize) length);

  return g_strconcat (scheme, uri + length, NULL);
}
