/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-table.h"
#include "amps-dotenv.h"
#include "core/amps-error.h"
#include "core/amps-value.h"

#include <glib/gi18n.h>
#include <string.h>

/* AMQP 0-9-1, section 4.2.5.3: a queue's name is a short string. */
#define MAX_QUEUE_NAME 255

typedef struct {
  char *text;    /* (owned) (nullable) as given, or the default */
  char *file;    /* (owned) (nullable) where the text came from, to read it again */
  gboolean bad;  /* a problem was found */
  gint64 number; /* of a number, boolean, duration (µs), size or word (its index) */
} Setting;

struct _AmpsConfig {
  GObject parent_instance;

  Setting settings[N_VARIABLES];
  char **broker_uris;  /* (owned) */
  GPtrArray *warnings; /* (owned) of char*, NULL-terminated */
  GString *problems;   /* (owned) a line each */
};

G_DEFINE_FINAL_TYPE (AmpsConfig, amps_config, G_TYPE_OBJECT)

static void
amps_config_finalize (GObject *object)
{
  AmpsConfig *self = AMPS_CONFIG (object);

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      g_free (self->settings[i].text);
      g_free (self->settings[i].file);
    }
  g_strfreev (self->broker_uris);
  g_ptr_array_unref (self->warnings);
  g_string_free (self->problems, TRUE);

  G_OBJECT_CLASS (amps_config_parent_class)->finalize (object);
}

static void
amps_config_class_init (AmpsConfigClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_config_finalize;
}

static void
amps_config_init (AmpsConfig *self)
{
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  self->problems = g_string_new (NULL);
}

static char *
redact (const AmpsVariableInfo *info, const char *text)
{
  g_auto (GStrv) uris = NULL;

  if (info->secrecy == SECRECY_NONE)
    return g_strdup (text);
  if (info->secrecy == SECRECY_WHOLE)
    return g_strdup ("***");

  uris = g_strsplit (text, ",", -1);
  for (char **uri = uris; *uri != NULL; uri++)
    {
      char *redacted = amps_redact_uri (*uri);

      g_free (*uri);
      *uri = redacted;
    }
  return g_strjoinv (",", uris);
}

G_GNUC_PRINTF (2, 3)
static void
add_problem (AmpsConfig *self, const char *format, ...)
{
  va_list arguments;

  if (self->problems->len > 0)
    g_string_append_c (self->problems, '\n');
  va_start (arguments, format);
  g_string_append_vprintf (self->problems, format, arguments);
  va_end (arguments);
}

static void
add_bad_value (AmpsConfig *self, AmpsVariable variable, const char *why)
{
  const AmpsVariableInfo *info = &amps_variables[variable];
  const char *text = self->settings[variable].text;
  g_autofree char *redacted = redact (info, text != NULL ? text : "");

  self->settings[variable].bad = TRUE;
  add_problem (self, _ ("%s=%s: %s"), info->name, redacted, why);
}

/* Sources */

static const char *
look_up (const char *const *environment, const char *name)
{
  const char *value = g_environ_getenv ((char **) environment, name);

  return value != NULL && *value != '\0' ? value : NULL;
}

/* Kubernetes sets NAME_PORT=tcp://… for each Service called NAME. */
static gboolean
is_from_kubernetes (const char *name, const char *value)
{
  return (g_str_has_suffix (name, "PORT") || g_str_has_suffix (name, "HOST")) &&
         (g_str_has_prefix (value, "tcp://") || g_str_has_prefix (value, "udp://"));
}

static const char *
look_up_warily (AmpsConfig *self, const char *const *environment, const char *name)
{
  const char *value = look_up (environment, name);

  if (value == NULL || !is_from_kubernetes (name, value))
    return value;

  g_ptr_array_add (self->warnings,
                   g_strdup_printf ("%s=%s is ignored: Kubernetes sets it for a Service of that "
                                    "name",
                                    name, value));
  return NULL;
}

static gboolean
read_secret (const char *path, char **text, GError **error)
{
  if (!g_file_get_contents (path, text, NULL, error))
    return FALSE;

  (*text)[strcspn (*text, "\r\n")] = '\0';
  return TRUE;
}

static void
look_up_in_file (AmpsConfig *self, AmpsVariable variable, const char *const *environment)
{
  Setting *setting = &self->settings[variable];
  const char *name = amps_variables[variable].name;
  g_autofree char *file_name = g_strconcat (name, "_FILE", NULL);
  const char *path = look_up (environment, file_name);
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;

  if (setting->text != NULL)
    {
      add_problem (self, _ ("%s=%s: set either this or %s, not both"), file_name, path, name);
      return;
    }

  if (!read_secret (path, &setting->text, &error))
    {
      add_problem (self, _ ("%s=%s: %s"), file_name, path, error->message);
      return;
    }

  setting->file = g_strdup (path);
  if (*setting->text == '\0')
    g_clear_pointer (&setting->text, g_free);
}

/* The first of several sources that has it; an alias counts like the name. */
static void
gather (AmpsConfig *self, AmpsVariable variable, const char *const *const *sources)
{
  const AmpsVariableInfo *info = &amps_variables[variable];
  const char *alias = variable == VARIABLE_BROKER_HOST ? "BROKER_DSN" : NULL;
  Setting *setting = &self->settings[variable];

  for (; *sources != NULL && setting->text == NULL && setting->file == NULL; sources++)
    {
      const char *value = look_up_warily (self, *sources, info->name);
      const char *by_alias = alias != NULL ? look_up (*sources, alias) : NULL;

      if (value != NULL && by_alias != NULL && strcmp (value, by_alias) != 0)
        add_problem (self, _ ("%s and %s are different; set one of them"), info->name, alias);

      setting->text = g_strdup (value != NULL ? value : by_alias);
      if (info->secrecy != SECRECY_NONE)
        look_up_in_file (self, variable, *sources);
    }

  if (setting->text == NULL)
    setting->text = g_strdup (info->fallback);
}

/* Parsing */

static gboolean
parse_word (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  g_autoptr (GString) allowed = g_string_new (NULL);

  for (*number = 0; info->words[*number] != NULL; (*number)++)
    {
      if (strcmp (info->words[*number], text) == 0)
        return TRUE;
      g_string_append_printf (allowed, "%s%s", allowed->len > 0 ? ", " : "", info->words[*number]);
    }

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("must be one of: %s"),
               allowed->str);
  return FALSE;
}

static gboolean
parse_number (const AmpsVariableInfo *info, const char *text, gint64 *number, GError **error)
{
  guint64 value = 0;
  gboolean flag = FALSE;
  gboolean parsed;

  switch (info->kind)
    {
    case KIND_WORD:
      return parse_word (info, text, number, error);
    case KIND_BOOLEAN:
      parsed = amps_parse_boolean (text, &flag, error);
      *number = flag;
      return parsed;
    case KIND_DURATION:
      parsed = amps_parse_duration (text, number, error);
      break;
    case KIND_SIZE:
      parsed = amps_parse_size (text, &value, error);
      *number = (gint64) value;
      break;
    case KIND_NUMBER:
      parsed = amps_parse_unsigned (text, &value, error);
      *number = (gint64) value;
      break;
    case KIND_TEXT:
    case KIND_QUEUE:
    case KIND_URIS:
    default:
      return TRUE;
    }

  if (!parsed || (*number >= info->minimum && *number <= info->maximum))
    return parsed;

  if (info->kind == KIND_DURATION)
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("must be from %gs to %gs"),
                 (double) info->minimum / G_USEC_PER_SEC, (double) info->maximum / G_USEC_PER_SEC);
  else
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                 _ ("must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT), info->minimum,
                 info->maximum);
  return FALSE;
}

static void
parse (AmpsConfig *self, AmpsVariable variable)
{
  const AmpsVariableInfo *info = &amps_variables[variable];
  Setting *setting = &self->settings[variable];
  g_autoptr (GError) error = NULL;

  if (setting->text == NULL)
    return;

  if (!g_utf8_validate (setting->text, -1, NULL))
    {
      add_problem (self, _ ("%s: must be UTF-8"), info->name);
      return;
    }

  if (info->kind == KIND_QUEUE && strlen (setting->text) > MAX_QUEUE_NAME)
    add_bad_value (self, variable, _ ("must be the name of a queue, at most 255 bytes"));
  else if (!parse_number (info, setting->text, &setting->number, &error))
    add_bad_value (self, variable, error->message);
}

/* Rules on more than one variable, or of their own */

static const char *
get_backend (const char *uri)
{
  if (g_str_has_prefix (uri, "amqp://") || g_str_has_prefix (uri, "amqps://"))
    return "amqp";
  if (g_str_has_prefix (uri, "sqlite:"))
    return "embedded";

  return NULL;
}

static void
check_broker (AmpsConfig *self)
{
  Setting *type = &self->settings[VARIABLE_BROKER_TYPE];
  const char *backend = NULL;

  self->broker_uris = g_strsplit (self->settings[VARIABLE_BROKER_HOST].text, ",", -1);
  for (char **uri = self->broker_uris; *uri != NULL; uri++)
    {
      const char *own = get_backend (g_strstrip (*uri));

      if (own == NULL)
        {
          add_bad_value (self, VARIABLE_BROKER_HOST,
                         _ ("must begin with amqp://, amqps:// or sqlite:"));
          return;
        }
      if (backend != NULL && own != backend)
        add_bad_value (self, VARIABLE_BROKER_HOST, _ ("must all be of one type"));
      backend = own;
    }

  if (type->text == NULL)
    type->text = g_strdup (backend);
  else if (!type->bad && strcmp (type->text, backend) != 0)
    add_bad_value (self, VARIABLE_BROKER_TYPE, _ ("must fit BROKER_HOST, or be left out"));
}

static gboolean
is_workload_address (const char *address)
{
  g_autoptr (GUri) uri = NULL;
  const char *scheme;

  if (g_str_has_prefix (address, "unix:"))
    return address[5] == '/';

  uri = g_uri_parse (address, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return FALSE;

  scheme = g_uri_get_scheme (uri);
  return strcmp (scheme, "http") == 0 || strcmp (scheme, "https") == 0;
}

static gboolean
is_order_wrong (AmpsConfig *self, AmpsVariable smaller, AmpsVariable larger)
{
  const Setting *settings = self->settings;

  return !settings[smaller].bad && !settings[larger].bad &&
         settings[smaller].number > settings[larger].number;
}

static void
check_rules (AmpsConfig *self)
{
  const Setting *settings = self->settings;
  const char *ready_path = settings[VARIABLE_WORKLOAD_READY_PATH].text;

  check_broker (self);

  if (settings[VARIABLE_BROKER_SUBJECT].text == NULL)
    add_problem (self, _ ("BROKER_SUBJECT is required: the name of the queue to consume"));

  if (!is_workload_address (settings[VARIABLE_WORKLOAD_ADDRESS].text))
    add_bad_value (self, VARIABLE_WORKLOAD_ADDRESS,
                   _ ("must be like http://localhost:5050, https://host or unix:/path"));

  if (ready_path != NULL && *ready_path != '/')
    add_bad_value (self, VARIABLE_WORKLOAD_READY_PATH, _ ("must begin with a slash"));

  if (is_order_wrong (self, VARIABLE_RETRY_MIN_BACKOFF, VARIABLE_RETRY_MAX_BACKOFF))
    add_bad_value (self, VARIABLE_RETRY_MIN_BACKOFF,
                   _ ("must not be longer than RETRY_MAX_BACKOFF"));

  if (settings[VARIABLE_METRICS_ENABLED].number != 0 && !settings[VARIABLE_PORT].bad &&
      settings[VARIABLE_METRICS_PORT].number == settings[VARIABLE_PORT].number)
    add_bad_value (self, VARIABLE_METRICS_PORT, _ ("must not be the same as PORT"));
}

static void
fill_in (AmpsConfig *self)
{
  Setting *worker_id = &self->settings[VARIABLE_WORKER_ID];
  Setting *dead_letters = &self->settings[VARIABLE_DEAD_LETTER_QUEUE];

  if (worker_id->text == NULL)
    worker_id->text = g_strdup (g_get_host_name ());

  if (dead_letters->text == NULL && strcmp (amps_config_get_broker_type (self), "embedded") == 0)
    dead_letters->text = g_strconcat (amps_config_get_subject (self), ".dead", NULL);
}

/**
 * amps_config_new:
 * @environment: (array zero-terminated=1): `NAME=value`, as g_get_environ() has it
 * @dotenv_path: (nullable): a file that fills in what @environment leaves unset;
 *   it need not exist
 * @options: (array zero-terminated=1): `NAME=value` from the command line, which
 *   win
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT with a line for every
 *   bad value
 *
 * Reads files, and may block: to be called at start.
 *
 * Returns: (transfer full) (nullable): the settings, all valid
 */
AmpsConfig *
amps_config_new (const char *const *environment, const char *dotenv_path,
                 const char *const *options, GError **error)
{
  g_autoptr (AmpsConfig) self = g_object_new (AMPS_TYPE_CONFIG, NULL);
  g_autoptr (GError) dotenv_error = NULL;
  g_auto (GStrv) dotenv = amps_dotenv_read (dotenv_path, &dotenv_error);
  const char *const *const sources[] = { options, environment, (const char *const *) dotenv, NULL };

  if (dotenv_error != NULL)
    add_problem (self, "%s", dotenv_error->message);

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      gather (self, i, sources);
      parse (self, i);
    }
  check_rules (self);

  if (self->problems->len > 0)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, self->problems->str);
      return NULL;
    }

  fill_in (self);
  g_ptr_array_add (self->warnings, NULL);
  return g_steal_pointer (&self);
}

/**
 * amps_config_reload_secrets:
 * @self: the settings
 * @error: return location
 *
 * Reads the files of `NAME_FILE` variables again. They are small and local, so
 * this may be done in the main loop. If one can't be read, all stay as they are.
 *
 * Returns: whether all could be read
 */
gboolean
amps_config_reload_secrets (AmpsConfig *self, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      char *text = NULL;

      if (self->settings[i].file != NULL && !read_secret (self->settings[i].file, &text, error))
        return FALSE;
      g_ptr_array_add (texts, text);
    }

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      if (self->settings[i].file != NULL)
        {
          g_free (self->settings[i].text);
          self->settings[i].text = g_steal_pointer (&g_ptr_array_index (texts, i));
        }
    }

  g_strfreev (self->broker_uris);
  self->broker_uris = g_strsplit (self->settings[VARIABLE_BROKER_HOST].text, ",", -1);
  return TRUE;
}

/**
 * amps_config_foreach:
 * @self: the settings
 * @func: (scope call): called for each variable that has a value
 * @user_data: passed to @func
 *
 * Shows what was set in the end, with `***` for secrets.
 */
void
amps_config_foreach (AmpsConfig *self,
                     void (*func) (const char *name, const char *redacted, gpointer user_data),
                     gpointer user_data)
{
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      g_autofree char *redacted = NULL;

      if (self->settings[i].text == NULL)
        continue;
      redacted = redact (&amps_variables[i], self->settings[i].text);
      func (amps_variables[i].name, redacted, user_data);
    }
}

static void
append_line (const char *name, const char *redacted, gpointer user_data)
{
  g_string_append_printf (user_data, "%s=%s\n", name, redacted);
}

/**
 * amps_config_to_string:
 * @self: the settings
 *
 * Returns: (transfer full): a line for each variable, with `***` for secrets
 */
char *
amps_config_to_string (AmpsConfig *self)
{
  GString *text = g_string_new (NULL);

  amps_config_foreach (self, append_line, text);
  return g_string_free (text, FALSE);
}

/**
 * amps_config_get_broker_uris:
 * @self: the settings
 *
 * They hold passwords, and change with [method@Amps.Config.reload_secrets].
 *
 * Returns: (transfer none) (array zero-terminated=1): brokers, to be tried in turn
 */
const char *const *
amps_config_get_broker_uris (AmpsConfig *self)
{
  return (const char *const *) self->broker_uris;
}

/**
 * amps_config_get_warnings:
 * @self: the settings
 *
 * Returns: (transfer none) (array zero-terminated=1): what the user should know
 */
const char *const *
amps_config_get_warnings (AmpsConfig *self)
{
  return (const char *const *) self->warnings->pdata;
}

/* For the getters. */
const char *
amps_config_get_text (AmpsConfig *self, AmpsVariable variable)
{
  return self->settings[variable].text;
}

gint64
amps_config_get_number (AmpsConfig *self, AmpsVariable variable)
{
  return self->settings[variable].number;
}
