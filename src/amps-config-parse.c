/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-parse.h"
#include "core/amps-error.h"
#include "core/amps-value.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/un.h>

typedef gboolean (*ParseFunc) (const AmpsVariableInfo *info, const char *text, gint64 *number,
                               GError **error);

static gboolean
fail (GError **error, const char *message)
{
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

/* Numbers of all sorts */

typedef struct {
  const char *name;
  gint64 factor;
} Unit;

static char *
format_amount (const Unit *units, gint64 amount)
{
  if (amount == 0)
    return g_strdup ("0");

  /* The last unit is 1. */
  while (amount % units->factor != 0)
    units++;
  return g_strdup_printf ("%" G_GINT64_FORMAT "%s", amount / units->factor, units->name);
}

static gboolean
check_range (const AmpsVariableInfo *info, const Unit *units, gint64 number, GError **error)
{
  g_autofree char *minimum = NULL;
  g_autofree char *maximum = NULL;

  if (number >= info->minimum && number <= info->maximum)
    return TRUE;

  minimum = format_amount (units, info->minimum);
  maximum = format_amount (units, info->maximum);
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("must be from %s to %s"), minimum,
               maximum);
  return FALSE;
}

static gboolean
parse_number (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  static const Unit units[] = { { "", 1 } };
  g_autoptr (GError) english = NULL;

  if (!amps_parse_unsigned (text, (guint64 *) number, &english))
    return fail (error, _ (english->message));
  return check_range (info, units, *number, error);
}

static gboolean
parse_duration (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  static const Unit units[] = {
    { "h", G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC },
    { "m", 60 * G_USEC_PER_SEC },
    { "s", G_USEC_PER_SEC },
    { "ms", 1000 },
    { "us", 1 },
  };
  g_autoptr (GError) english = NULL;

  if (!amps_parse_duration (text, number, &english))
    return fail (error, _ (english->message));
  return check_range (info, units, *number, error);
}

static gboolean
parse_size (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  static const Unit units[] = { { "MiB", 1024 * 1024 }, { "KiB", 1024 }, { "", 1 } };
  g_autoptr (GError) english = NULL;

  if (!amps_parse_size (text, (guint64 *) number, &english))
    return fail (error, _ (english->message));
  return check_range (info, units, *number, error);
}

static gboolean
parse_boolean (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text, gint64 *number,
               GError **error)
{
  g_autoptr (GError) english = NULL;
  gboolean value;

  if (!amps_parse_boolean (text, &value, &english))
    return fail (error, _ (english->message));
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
  return is_visible_ascii (text) || fail (error, _ ("must be ASCII characters without spaces"));
}

static gboolean
parse_media_type (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
                  gint64 *number G_GNUC_UNUSED, GError **error)
{
  gsize type = strcspn (text, "/; ");
  gboolean has_both = type > 0 && text[type] == '/' && g_ascii_isalnum (text[type + 1]);

  return (has_both && g_str_is_ascii (text)) ||
         fail (error, _ ("must be a media type such as application/json"));
}

/* Addresses */

static gboolean
is_http (GUri *uri)
{
  static const char *const schemes[] = { "http", "https", NULL };

  return uri != NULL && g_strv_contains (schemes, g_uri_get_scheme (uri)) &&
         g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0';
}

static gboolean
parse_address (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
               gint64 *number G_GNUC_UNUSED, GError **error)
{
  static const char unix_scheme[] = "unix:";
  const char *path = text + strlen (unix_scheme);
  g_autoptr (GUri) uri = NULL;

  if (g_str_has_prefix (text, unix_scheme))
    return (*path == '/' && strlen (path) < sizeof ((struct sockaddr_un){ 0 }.sun_path)) ||
           fail (error, _ ("must be like unix:/path, the path at most 107 bytes"));

  uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  return is_http (uri) ||
         fail (error, _ ("must be like http://localhost:5050, https://host or unix:/path"));
}

static gboolean
parse_path (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
            gint64 *number G_GNUC_UNUSED, GError **error)
{
  return (*text == '/' && is_visible_ascii (text)) ||
         fail (error, _ ("must begin with a slash and hold no spaces"));
}

static gboolean
parse_sentry_dsn (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
                  gint64 *number G_GNUC_UNUSED, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *key = is_http (uri) ? g_uri_get_userinfo (uri) : NULL;

  return (key != NULL && *key != '\0' && strlen (g_uri_get_path (uri)) > 1) ||
         fail (error, _ ("must be like https://KEY@HOST/PROJECT"));
}

static gboolean
parse_bus (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  return find_word (info, text, number) || g_dbus_is_address (text) ||
         fail (error, _ ("must be auto, session, system, none or an address like unix:path=/path"));
}

/* Says no more than whether it is one: GUri's own words quote what may be a
 * password. The backend looks at the rest. */
static gboolean
parse_broker_uri (const char *text, gint64 *backend)
{
  static const struct {
    const char *prefix;
    gint64 backend;
  } schemes[] = {
    { "amqp://", BACKEND_AMQP },
    { "amqps://", BACKEND_AMQP },
    { "sqlite:", BACKEND_EMBEDDED },
  };
  g_autoptr (GUri) uri = NULL;
  const char *host;
  unsigned int i = 0;

  while (i < G_N_ELEMENTS (schemes) && !g_str_has_prefix (text, schemes[i].prefix))
    i++;
  if (i == G_N_ELEMENTS (schemes))
    return FALSE;

  *backend = schemes[i].backend;
  uri = g_uri_parse (
      text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED, NULL);
  if (uri == NULL)
    return FALSE;

  /* A comma: the next URI has no scheme. */
  host = g_uri_get_host (uri);
  return *backend == BACKEND_AMQP ? host != NULL && strchr (host, ',') == NULL
                                  : *g_uri_get_path (uri) != '\0';
}

static gboolean
parse_broker_uris (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text, gint64 *number,
                   GError **error)
{
  g_auto (GStrv) uris = amps_split_uris (text);

  for (unsigned int i = 0; uris[i] != NULL; i++)
    {
      gint64 backend;

      if (!parse_broker_uri (uris[i], &backend))
        return fail (error, _ ("must be like amqp://user:password@host:5672/vhost, amqps://host or "
                               "sqlite:///path/queue.db, with special characters percent-encoded"));
      if (i > 0 && backend != *number)
        return fail (error, _ ("must all be of one type"));
      *number = backend;
    }

  return TRUE;
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
    [KIND_BROKER_URIS] = parse_broker_uris,
    [KIND_ADDRESS] = parse_address,
    [KIND_PATH] = parse_path,
    [KIND_SENTRY_DSN] = parse_sentry_dsn,
    [KIND_BUS] = parse_bus,
    [KIND_WORD] = parse_word,
    [KIND_NUMBER] = parse_number,
    [KIND_BOOLEAN] = parse_boolean,
    [KIND_DURATION] = parse_duration,
    [KIND_SIZE] = parse_size,
  };

  *number = 0;
  /* Else it could break out of its line in a log or a header. */
  if (!is_plain_text (text))
    return fail (error, _ ("must be UTF-8 text without control characters"));

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
  g_auto (GStrv) uris = NULL;
  g_autofree char *redacted = NULL;

  if (info->secrecy == SECRECY_WHOLE)
    return g_strdup ("***");

  if (info->secrecy == SECRECY_URI)
    {
      uris = amps_split_uris (text);
      for (char **uri = uris; *uri != NULL; uri++)
        {
          char *open = *uri;

          *uri = amps_redact_uri (open);
          g_free (open);
        }
      redacted = g_strjoinv (",", uris);
      text = redacted;
    }

  return is_plain_text (text) ? g_strdup (text) : g_strescape (text, NULL);
}

static gboolean
begins_uri (const char *text)
{
  g_autofree char *scheme = NULL;

  while (g_ascii_isspace (*text))
    text++;
  scheme = g_uri_parse_scheme (text);

  return scheme != NULL && (g_ascii_strcasecmp (scheme, "sqlite") == 0 ||
                            g_str_has_prefix (text + strlen (scheme), "://"));
}

static const char *
find_end_of_uri (const char *text)
{
  const char *end = strchr (text, ',');

  while (end != NULL && !begins_uri (end + 1))
    end = strchr (end + 1, ',');

  return end != NULL ? end : text + strlen (text);
}

/**
 * amps_split_uris:
 * @text: URIs separated by commas
 *
 * A comma may stand in a password, too: it separates only in front of a scheme.
 *
 * Returns: (transfer full): the URIs, without the blanks around them
 */
char **
amps_split_uris (const char *text)
{
  g_autoptr (GStrvBuilder) uris = g_strv_builder_new ();
  const char *begin = text;

  /* A GRegex would be the only one, and its library takes 300 KiB once it is used. */
  while (*begin != '\0')
    {
      const char *end = find_end_of_uri (begin);
      g_autofree char *uri = g_strndup (begin, (gsize) (end - begin));

      g_strv_builder_add (uris, g_strstrip (uri));
      begin = *end == ',' ? end + 1 : end;
    }

  return g_strv_builder_end (uris);
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
