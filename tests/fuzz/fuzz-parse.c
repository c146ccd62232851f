/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "base/amps-parse.h"
#include "config/amps-config-parse.h"

#include <string.h>

/* A number that is written down again is the same, and none is beyond its bounds. */

/* So far a double holds every whole number. */
#define EXACT (G_GINT64_CONSTANT (1) << 53)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_duration (const char *text)
{
  g_autoptr (GError) error = NULL;
  gint64 duration = -1;
  gint64 again = -1;

  if (!amps_parse_duration (text, &duration, &error))
    {
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      return;
    }

  g_autofree char *written = g_strdup_printf ("%" G_GINT64_FORMAT "us", duration);
  g_autofree char *longer = g_strconcat ("1h", *text == '+' ? text + 1 : text, NULL);

  g_assert_cmpint (duration, >=, 0);
  g_assert_true (amps_parse_duration (written, &again, NULL));
  g_assert_cmpint (again, ==, duration);
  if (duration < EXACT / 2 && amps_parse_duration (longer, &again, NULL))
    g_assert_cmpint (ABS (again - duration - G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC), <=, 1);
}

static void
check_size (const char *text)
{
  guint64 bytes = 0;
  guint64 again = 0;

  if (!amps_parse_size (text, &bytes, NULL))
    return;

  g_autofree char *written = g_strdup_printf ("%" G_GUINT64_FORMAT "B", bytes);

  g_assert_cmpuint (bytes, <=, G_MAXINT64);
  if (bytes >= EXACT)
    return;
  g_assert_true (amps_parse_size (written, &again, NULL));
  g_assert_cmpuint (again, ==, bytes);
}

static void
check_unsigned (const char *text)
{
  guint64 value = 0;
  g_autofree char *written = NULL;

  if (!amps_parse_unsigned (text, &value, NULL))
    return;

  written = g_strdup_printf ("%" G_GUINT64_FORMAT, value);
  g_assert_cmpuint (value, <=, G_MAXINT64);
  g_assert_true (g_str_has_suffix (text, written));
}

/* As settings, which have bounds of their own. */
static void
check_settings (const char *text)
{
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const AmpsVariableInfo *info = &amps_variables[i];
      g_autoptr (GError) error = NULL;
      gint64 number;

      if (!amps_variable_parse (info, text, &number, &error))
        {
          g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
          g_assert_true (g_utf8_validate (error->message, -1, NULL));
        }
      else if (info->kind == KIND_NUMBER || info->kind == KIND_DURATION || info->kind == KIND_SIZE)
        {
          g_assert_cmpint (number, >=, info->minimum);
          g_assert_cmpint (number, <=, info->maximum);
        }
      else
        {
          g_assert_true (g_utf8_validate (text, -1, NULL) && strpbrk (text, "\r\n\t") == NULL);
        }
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);

  check_duration (text);
  check_size (text);
  check_unsigned (text);
  check_settings (text);
  return 0;
}
