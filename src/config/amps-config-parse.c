/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-parse.h"
#include "amps-config-uri.h"
#include "base/amps-error.h"
#include "base/amps-pairs.h"
#include "base/amps-parse.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>

typedef gboolean (*ParseFunc) (const AmpsVariableInfo *info, const char *text, gint64 *number,
                               GError **error);

static gboolean
config_parse_fail (GError **error, const char *message)
{
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

/* Numbers of all sorts */

typedef struct {
  const char *name;
  gint64 factor;
} Unit;

static const Unit plain_units[] = { { "", 1 } };

static const Unit duration_units[] = {
  { "h", G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC },
  { "m", 60 * G_USEC_PER_SEC },
  { "s", G_USEC_PER_SEC },
  { "ms", 1000 },
  { "us", 1 },
};

static const Unit size_units[] = {
  { "TiB", G_GINT64_CONSTANT (1) << 40 },
  { "GiB", G_GINT64_CONSTANT (1) << 30 },
  { "MiB", G_GINT64_CONSTANT (1) << 20 },
  { "KiB", G_GINT64_CONSTANT (1) << 10 },
  { "", 1 },
};

static const Unit *
units_of (AmpsVariableKind kind)
{
  if (kind == KIND_DURATION)
    return duration_units;
  return kind == KIND_SIZE ? size_units : plain_units;
}

/**
 * amps_variable_format_amount:
 * @info: a number, a duration or a size
 * @amount: what it may be, such as its minimum
 *
 * Returns: (transfer full): @amount as one would write it
 */
char *
amps_variable_format_amount (const AmpsVariableInfo *info, gint64 amount)
{
  const Unit *unit = units_of (info->kind);

  if (amount == 0)
    return g_strdup ("0");

  /* The last unit is 1. */
  while (amount % unit->factor != 0)
    unit++;
  return g_strdup_printf ("%" G_GINT64_FORMAT "%s", amount / unit->factor, unit->name);
}

typedef gboolean (*AmountFunc) (const char *text, gint64 *number, GError **error);

/* Whether it is an amount, though less than nothing or more than there can be. */
static gboolean
is_beyond (const char *text, AmountFunc parse)
{
  gsize digits = strspn (text, "0123456789");
  g_autofree char *smaller = NULL;
  gint64 number;

  if (*text == '-')
    return parse (text + 1, &number, NULL) || is_beyond (text + 1, parse);

  smaller = g_strconcat ("1", text + digits, NULL);
  return digits > 0 && parse (smaller, &number, NULL);
}

static gboolean
parse_amount (const AmpsVariableInfo *info, const char *text, AmountFunc parse, gint64 *number,
              GError **error)
{
  g_autofree char *minimum = amps_variable_format_amount (info, info->minimum);
  g_autofree char *maximum = amps_variable_format_amount (info, info->maximum);
  g_autoptr (GError) english = NULL;
  gboolean parsed = parse (text, number, &english);

  if (parsed && *number >= info->minimum && *number <= info->maximum)
    return TRUE;

  if (parsed || is_beyond (text, parse))
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("must be from %s to %s"),
                 minimum, maximum);
  else
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("%s, from %s to %s"),
                 _ (english->message), minimum, maximum);
  return FALSE;
}

static gboolean
config_parse_read_number (const char *text, gint64 *number, GError **error)
{
  return amps_parse_unsigned (text, (guint64 *) number, error);
}

static gboolean
config_parse_parse_number (const AmpsVariableInfo *info, const char *text, gint64 *number,
                           GError **error)
{
  return parse_amount (info, text, config_parse_read_number, number, error);
}

static gboolean
parse_duration (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  return parse_amount (info, text, amps_parse_duration, number, error);
}

static gboolean
read_size (const char *text, gint64 *number, GError **error)
{
  return amps_parse_size (text, (guint64 *) number, error);
}

static gboolean
config_parse_parse_size (const AmpsVariableInfo *info, const char *text, gint64 *number,
                         GError **error)
{
  return parse_amount (info, text, read_size, number, error);
}

static gboolean
parse_boolean (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text, gint64 *number,
               GError **error)
{
  g_autoptr (GError) english = NULL;
  gboolean value;

  if (!amps_parse_boolean (text, &value, &english))
    return config_parse_fail (error, _ (english->message));
  *number = value;
  return TRUE;
}

/* Texts */

static gboolean
find_word (const AmpsVariableInfo *info, const char *text, gint64 *number)
{
  for (*number = 0; info->words[*number] != NULL; (*number)++)
    {
      if (strcmp (info->words[*number], text) == 0)
        return TRUE;
    }

  return FALSE;
}

static gboolean
parse_word (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  g_autofree char *allowed = NULL;

  if (find_word (info, text, number))
    return TRUE;

  allowed = g_strjoinv (", ", (char **) info->words);
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("must be one of: %s"), allowed);
  return FALSE;
}

static gboolean
parse_text (const AmpsVariableInfo *info, const char *text, gint64 *number G_GNUC_UNUSED,
            GError **error)
{
  if (info->maximum == 0 || strlen (text) <= (gsize) info->maximum)
    return TRUE;

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("must be at most %u bytes"),
               (unsigned int) info->maximum);
  return FALSE;
}

static gboolean
is_visible_ascii (const char *text)
{
  while (g_ascii_isgraph (*text))
    text++;

  return *text == '\0';
}

static gboolean
parse_token (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
             gint64 *number G_GNUC_UNUSED, GError **error)
{
  return is_visible_ascii (text) ||
         config_parse_fail (error, _ ("must be ASCII characters without spaces"));
}

static gboolean
parse_pairs (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
             gint64 *number G_GNUC_UNUSED, GError **error)
{
  g_auto (GStrv) pairs = amps_pairs_parse (text);

  return pairs != NULL ||
         config_parse_fail (error, _ ("must be like name=value,other=value; in a value a comma "
                                      "is written %2C, a space %20 and a percent sign %25"));
}

static gboolean
parse_ratio (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
             gint64 *number G_GNUC_UNUSED, GError **error)
{
  char *end;
  double ratio = g_ascii_strtod (text, &end);

  return (strspn (text, "0123456789.") == strlen (text) && *end == '\0' && ratio <= 1) ||
         config_parse_fail (error, _ ("must be a number from 0 to 1, such as 0.25"));
}

static gboolean
parse_media_type (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
                  gint64 *number G_GNUC_UNUSED, GError **error)
{
  gsize type = strcspn (text, "/; ");
  gboolean has_both = type > 0 && text[type] == '/' && g_ascii_isalnum (text[type + 1]);

  return (has_both && g_str_is_ascii (text)) ||
         config_parse_fail (error, _ ("must be a media type such as application/json"));
}

static gboolean
parse_path (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  if (*text != '/' || !is_visible_ascii (text))
    return config_parse_fail (error, _ ("must begin with a slash and contain no spaces"));
  return parse_text (info, text, number, error);
}

/* With its 0: YAML reads an unquoted 0660 as 432. With the owner: AMPS could not tell any
 * more whether such a socket is stale. */
static gboolean
parse_mode (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text, gint64 *number,
            GError **error)
{
  if (strlen (text) == 4 && *text == '0' && strspn (text, "01234567") == 4)
    *number = g_ascii_strtoll (text, NULL, 8);
  return (*number & S_IWUSR) != 0 ||
         config_parse_fail (
             error, _ ("must be four octal digits such as 0660: a 0, then the permissions of the "
                       "owner, who must be allowed to write, of the group and of others"));
}

static gboolean
parse_bus (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  return find_word (info, text, number) || g_dbus_is_address (text) ||
         config_parse_fail (
             error, _ ("must be auto, session, system, none or an address like unix:path=/path"));
}

static gboolean
is_plain_text (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;

  while (*text != '\0' && !g_unichar_iscntrl (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  return *text == '\0';
}

/**
 * amps_variable_parse:
 * @info: a variable
 * @text: its value, not empty
 * @number: (out): what it means, as a number; 0 for a text
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT, says what is allowed
 *   and never shows @text
 *
 * Returns: whether @text is allowed, seen alone
 */
gboolean
amps_variable_parse (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  static const ParseFunc parsers[] = {
    [KIND_TEXT] = parse_text,
    [KIND_TOKEN] = parse_token,
    [KIND_MEDIA_TYPE] = parse_media_type,
    [KIND_BROKER_URIS] = parse_text,
    [KIND_ADDRESS] = amps_config_uri_parse_address,
    [KIND_BASE_URL] = amps_config_uri_parse_base,
    [KIND_COLLECTOR] = amps_config_uri_parse_collector,
    [KIND_PAIRS] = parse_pairs,
    [KIND_RATIO] = parse_ratio,
    [KIND_PATH] = parse_path,
    [KIND_MODE] = parse_mode,
    [KIND_SENTRY_DSN] = amps_config_uri_parse_sentry,
    [KIND_BUS] = parse_bus,
    [KIND_WORD] = parse_word,
    [KIND_NUMBER] = config_parse_parse_number,
    [KIND_BOOLEAN] = parse_boolean,
    [KIND_DURATION] = parse_duration,
    [KIND_SIZE] = config_parse_parse_size,
  };

  *number = 0;
  /* Else it could break out of its line in a log or a header. */
  if (!is_plain_text (text))
    return config_parse_fail (error, _ ("must be UTF-8 text without control characters"));

  return parsers[info->kind](info, text, number, error);
}

/**
 * amps_variable_redact:
 * @info: a variable
 * @text: its value, allowed or not
 *
 * Returns: (transfer full): @text, on one line and with `***` for secrets
 */
char *
amps_variable_redact (const AmpsVariableInfo *info, const char *text)
{
  g_autofree char *redacted = NULL;

  if (info->secrecy == SECRECY_WHOLE)
    return g_strdup ("***");
  if (info->secrecy == SECRECY_PATH)
    return amps_variable_redact_path (text);

  /* One may stand where it does not belong, too. */
  redacted = info->secrecy == SECRECY_URI || strstr (text, "://") != NULL
                 ? amps_config_uri_redact (text)
                 : g_strdup (text);
  return is_plain_text (redacted) ? g_steal_pointer (&redacted) : g_strescape (redacted, NULL);
}

/**
 * amps_variable_redact_path:
 * @path: the path of a file that holds a secret
 *
 * By mistake it may be the secret itself.
 *
 * Returns: (transfer full): @path if it looks like one, else `***`
 */
char *
amps_variable_redact_path (const char *path)
{
  static const char *const beginnings[] = { "/", "./", "../" };
  const char *name = path + strspn (path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789/._-");

  for (unsigned int i = 0; i < G_N_ELEMENTS (beginnings) && *name == '\0'; i++)
    {
      if (g_str_has_prefix (path, beginnings[i]))
        return g_strdup (path);
    }

  return g_strdup ("***");
}

/**
 * amps_variable_look_up:
 * @source: (array zero-terminated=1): `NAME=value`
 * @name: of a variable
 *
 * The last one wins, as on a command line. An empty one counts as unset.
 *
 * Returns: (transfer none) (nullable): the value
 */
const char *
amps_variable_look_up (const char *const *source, const char *name)
{
  gsize length = strlen (name);
  const char *value = NULL;

  for (; *source != NULL; source++)
    {
      if (strncmp (*source, name, length) == 0 && (*source)[length] == '=')
        value = *source + length + 1;
    }

  return value != NULL && *value != '\0' ? value : NULL;
}
