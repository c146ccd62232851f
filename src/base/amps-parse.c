/* SPDX-License-Identifier: MIT */
#include "amps-parse.h"

#include "amps-error.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
  const char *name;
  double factor;
} Unit;

/* The API speaks English, the settings the user's language: it is for the
 * caller to translate the message, which therefore is a whole, marked one. */
static gboolean
parse_fail (GError **error, const char *message)
{
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

static const Unit *
find_unit (const Unit *units, const char *text, gsize length)
{
  for (const Unit *unit = units; unit->name != NULL; unit++)
    {
      if (strlen (unit->name) == length && strncmp (unit->name, text, length) == 0)
        return unit;
    }

  return NULL;
}

/* Digits with at most one point among them; no sign, no exponent. */
static gboolean
read_decimal (const char **at, double *value)
{
  const char *first = *at;
  char *end;
  gsize length = strspn (first, "0123456789.");

  if (length == 0)
    return FALSE;

  *value = g_ascii_strtod (first, &end);
  *at = end;
  return end == first + length;
}

/**
 * amps_parse_duration:
 * @text: a duration as Go writes it: `1h`, `1m30s`, `500ms`, `0`
 * @microseconds: (out): how long, at least 0
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * See https://pkg.go.dev/time#ParseDuration; negative ones are refused. What
 * is not 0 is at least 1 µs.
 *
 * Returns: whether it is one
 */
gboolean
amps_parse_duration (const char *text, gint64 *microseconds, GError **error)
{
  static const char expected[] = N_ ("must be a duration such as 500ms, 30s, 1m30s or 2h");
  static const Unit units[] = {
    { "ns", 1e-3 }, { "us", 1 },   { "µs", 1 },     { "μs", 1 }, { "ms", 1e3 },
    { "s", 1e6 },   { "m", 60e6 }, { "h", 3600e6 }, { NULL, 0 },
  };
  const char *at = *text == '+' ? text + 1 : text;
  double total = 0;

  if (strcmp (at, "0") == 0)
    {
      *microseconds = 0;
      return TRUE;
    }

  do
    {
      double value;
      gsize length;
      const Unit *unit;

      if (!read_decimal (&at, &value))
        return parse_fail (error, expected);
      length = strcspn (at, "0123456789.");
      unit = find_unit (units, at, length);
      if (unit == NULL)
        return parse_fail (error, expected);
      total += value * unit->factor;
      at += length;
    }
  while (*at != '\0');

  /* Go's own limit is 2^63 ns. */
  if (total > (double) G_MAXINT64 / 1000)
    return parse_fail (error, N_ ("must be at most 2562047h"));

  /* 0 often means none, and a nanosecond does not. */
  *microseconds = total > 0 ? MAX (1, (gint64) (total + 0.5)) : 0;
  return TRUE;
}

/**
 * amps_parse_boolean:
 * @text: a boolean as Go writes it
 * @value: (out): its value
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * See https://pkg.go.dev/strconv#ParseBool
 *
 * Returns: whether it is one
 */
gboolean
amps_parse_boolean (const char *text, gboolean *value, GError **error)
{
  static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True", NULL };
  static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False", NULL };

  *value = g_strv_contains (yes, text);
  return *value || g_strv_contains (no, text) || parse_fail (error, N_ ("must be true or false"));
}

/**
 * amps_parse_size:
 * @text: bytes, or with a unit: `64KiB`, `10MiB`, `5MB`
 * @bytes: (out): how many
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * Returns: whether it is one
 */
gboolean
amps_parse_size (const char *text, guint64 *bytes, GError **error)
{
  static const char expected[] = N_ ("must be a size such as 65536, 64KiB or 10MiB");
  static const Unit units[] = {
    { "", 1 },
    { "B", 1 },
    { "KiB", 1024.0 },
    { "MiB", 1024.0 * 1024 },
    { "GiB", 1024.0 * 1024 * 1024 },
    { "kB", 1e3 },
    { "KB", 1e3 },
    { "MB", 1e6 },
    { "GB", 1e9 },
    { NULL, 0 },
  };
  const char *at = text;
  const Unit *unit;
  double value;

  if (!read_decimal (&at, &value))
    return parse_fail (error, expected);
  unit = find_unit (units, at, strlen (at));
  /* As a double, that is one more than the greatest. */
  if (unit == NULL || value * unit->factor >= (double) G_MAXINT64)
    return parse_fail (error, expected);

  *bytes = (guint64) (value * unit->factor);
  return TRUE;
}

/**
 * amps_parse_unsigned:
 * @text: a decimal number
 * @value: (out): its value
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * Returns: whether it is one
 */
gboolean
amps_parse_unsigned (const char *text, guint64 *value, GError **error)
{
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, value, NULL) ||
         parse_fail (error, N_ ("must be a whole number"));
}
