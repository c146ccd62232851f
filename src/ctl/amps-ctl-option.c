/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-option.h"

#include "amps-ctl-error.h"
#include "base/amps-parse.h"

#include <glib/gi18n.h>

#define GENERAL(member) G_STRUCT_OFFSET (AmpsCtlGeneral, member)

const AmpsCtlOption amps_ctl_general_options[] = {
  { "json", 0, AMPS_CTL_OPTION_FLAG, GENERAL (json), NULL, N_ ("Print JSON, for programs") },
  { "url", 0, AMPS_CTL_OPTION_TEXT, GENERAL (url), N_ ("URL"),
    N_ ("URL of the job API, instead of PORT or API_SOCKET") },
  { "socket", 0, AMPS_CTL_OPTION_PATH, GENERAL (socket), N_ ("PATH"),
    N_ ("Path of the unix socket of that API") },
  { "bus", 0, AMPS_CTL_OPTION_OPTIONAL_TEXT, GENERAL (bus), N_ ("BUS"),
    N_ ("Use D-Bus: session, system or an address; the default is DBUS_BUS") },
  { "timeout", 0, AMPS_CTL_OPTION_DURATION, GENERAL (timeout), N_ ("DURATION"),
    N_ ("Time limit for an answer [10s]") },
  { "no-color", 0, AMPS_CTL_OPTION_FLAG, GENERAL (no_color), NULL,
    N_ ("No colours, as with NO_COLOR in the environment") },
  { "help", 'h', AMPS_CTL_OPTION_FLAG, GENERAL (help), NULL, N_ ("Show help and exit") },
  { "version", 0, AMPS_CTL_OPTION_FLAG, GENERAL (version), NULL,
    N_ ("Print the version and exit") },
  { NULL },
};

/**
 * amps_ctl_option_takes_value:
 * @option: an option
 *
 * Returns: whether it may have a value
 */
gboolean
amps_ctl_option_takes_value (const AmpsCtlOption *option)
{
  return option->kind != AMPS_CTL_OPTION_FLAG;
}

/**
 * amps_ctl_option_needs_value:
 * @option: an option
 *
 * Returns: whether it must have one
 */
gboolean
amps_ctl_option_needs_value (const AmpsCtlOption *option)
{
  return amps_ctl_option_takes_value (option) && option->kind != AMPS_CTL_OPTION_OPTIONAL_TEXT &&
         option->kind != AMPS_CTL_OPTION_OPTIONAL_DURATION;
}

static gboolean
store_text (char **place, const char *value, GError **error)
{
  if (value != NULL && !g_utf8_validate (value, -1, NULL))
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE, _ ("is not UTF-8"));
      return FALSE;
    }

  g_free (*place);
  *place = g_strdup (value != NULL ? value : "");
  return TRUE;
}

static gboolean
ctl_option_add_text (char ***place, const char *value, GError **error)
{
  unsigned int length = *place != NULL ? g_strv_length (*place) : 0;
  char *text = NULL;

  if (!store_text (&text, value, error))
    return FALSE;

  *place = g_renew (char *, *place, length + 2);
  (*place)[length] = text;
  (*place)[length + 1] = NULL;
  return TRUE;
}

static gboolean
store_duration (gint64 *place, const char *value, GError **error)
{
  if (!amps_parse_duration (value, place, error))
    return FALSE;
  if (*place > 0)
    return TRUE;

  g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE, _ ("must be more than 0"));
  return FALSE;
}

static gboolean
store_optional_duration (gint64 *place, const char *value, GError **error)
{
  if (value != NULL && *value != '\0')
    return amps_parse_duration (value, place, error);

  *place = -1;
  return TRUE;
}

static gboolean
store (const AmpsCtlOption *option, gpointer place, const char *value, GError **error)
{
  switch (option->kind)
    {
    case AMPS_CTL_OPTION_TEXT:
    case AMPS_CTL_OPTION_OPTIONAL_TEXT:
      return store_text (place, value, error);

    case AMPS_CTL_OPTION_TEXTS:
      return ctl_option_add_text (place, value, error);

    case AMPS_CTL_OPTION_PATH:
      g_free (*(char **) place);
      *(char **) place = g_strdup (value);
      return TRUE;

    case AMPS_CTL_OPTION_DURATION:
      return store_duration (place, value, error);

    case AMPS_CTL_OPTION_OPTIONAL_DURATION:
      return store_optional_duration (place, value, error);

    case AMPS_CTL_OPTION_NUMBER:
      return amps_parse_unsigned (value, place, error);

    case AMPS_CTL_OPTION_FLAG:
    default:
      *(gboolean *) place = TRUE;
      return TRUE;
    }
}

/**
 * amps_ctl_option_store:
 * @option: an option that was given
 * @values: the structure that it belongs to
 * @value: (nullable): its value
 * @error: return location: %AMPS_CTL_ERROR_USAGE
 *
 * Returns: whether the value makes sense
 */
gboolean
amps_ctl_option_store (const AmpsCtlOption *option, gpointer values, const char *value,
                       GError **error)
{
  g_autoptr (GError) bad = NULL;

  if (store (option, (char *) values + option->offset, value, &bad))
    return TRUE;

  g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE, "--%s: %s", option->name, bad->message);
  return FALSE;
}

/**
 * amps_ctl_options_clear:
 * @options: (nullable): all options
 * @values: the structure that they belong to
 *
 * Frees the texts in it.
 */
void
amps_ctl_options_clear (const AmpsCtlOption *options, gpointer values)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      if (options->kind == AMPS_CTL_OPTION_TEXT || options->kind == AMPS_CTL_OPTION_PATH ||
          options->kind == AMPS_CTL_OPTION_OPTIONAL_TEXT)
        g_clear_pointer ((char **) (gpointer) ((char *) values + options->offset), g_free);
      if (options->kind == AMPS_CTL_OPTION_TEXTS)
        g_clear_pointer ((char ***) (gpointer) ((char *) values + options->offset), g_strfreev);
    }
}
