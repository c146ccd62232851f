/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-names.h"
#include "amps-config-parse.h"
#include "amps-config-private.h"
#include "amps-config-uri.h"
#include "amps-dotenv.h"
#include "amps-secret.h"
#include "base/amps-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define DEAD_LETTER_SUFFIX ".dead" /* of their queue, unless DEAD_LETTER_QUEUE names it */

/* In the order in which they win. */
typedef enum {
  SOURCE_OPTIONS,
  SOURCE_ENVIRONMENT,
  SOURCE_DOTENV,
  N_SOURCES,
} Source;

typedef struct {
  const char *given_by; /* the variable or its alias */
  char *text;           /* (owned) (nullable) as given, or the default */
  char *file;           /* (owned) (nullable) where the text came from, to read it again */
  gboolean bad;         /* a problem was found */
  gint64 number;        /* of a number, boolean, duration (µs), size, word; or which backend */
} Setting;

struct _AmpsConfig {
  GObject parent_instance;

  AmpsConfigScope scope;
  Setting settings[N_VARIABLES];
  const AmpsConfigBackend *const *backends; /* (nullable) */
  char **broker_uris;                       /* (owned) */
  GPtrArray *warnings;                      /* (owned) of char*, NULL-terminated */
  GPtrArray *problems;                      /* (owned) of char* */
};

G_DEFINE_FINAL_TYPE (AmpsConfig, amps_config, G_TYPE_OBJECT)

typedef enum {
  SIGNAL_RELOADED,
  N_SIGNALS,
} AmpsConfigSignal;

static unsigned int signals[N_SIGNALS];

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
  g_ptr_array_unref (self->problems);

  G_OBJECT_CLASS (amps_config_parent_class)->finalize (object);
}

static void
amps_config_class_init (AmpsConfigClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_config_finalize;

  /**
   * AmpsConfig::reloaded:
   * @self: the settings
   *
   * The secrets have been read again, and may have changed.
   */
  signals[SIGNAL_RELOADED] = g_signal_new ("reloaded", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
amps_config_init (AmpsConfig *self)
{
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  self->problems = g_ptr_array_new_with_free_func (g_free);
}

G_GNUC_PRINTF (2, 3)
static void
add_problem (AmpsConfig *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (self->problems, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static void
add_bad_value (AmpsConfig *self, AmpsVariable variable, const char *why)
{
  Setting *setting = &self->settings[variable];
  g_autofree char *redacted = amps_variable_redact (&amps_variables[variable], setting->text);

  setting->bad = TRUE;
  add_problem (self, "%s=%s: %s", setting->given_by, redacted, why);
}

/* Sources */

static void
take_text (AmpsConfig *self, AmpsVariable variable, const char *name, const char *text)
{
  Setting *setting = &self->settings[variable];
  g_autofree char *normal = amps_config_uri_normalise (amps_variables[variable].kind, text);

  if (setting->given_by == NULL)
    {
      setting->given_by = name;
      setting->text = g_steal_pointer (&normal);
    }
  else if (g_strcmp0 (setting->text, normal) != 0)
    {
      add_problem (self, _ ("%s and %s are different; set one of them"), setting->given_by, name);
    }
}

static gboolean
read_secret (AmpsVariable variable, const char *path, char **text, GError **error)
{
  g_autofree char *secret = NULL;

  if (!amps_secret_read (path, &secret, error))
    return FALSE;

  *text = amps_config_uri_normalise (amps_variables[variable].kind, secret);
  return TRUE;
}

static void
take_file (AmpsConfig *self, AmpsVariable variable, const char *name, const char *path)
{
  Setting *setting = &self->settings[variable];
  g_autofree char *shown = amps_variable_redact_path (path);
  g_autoptr (GError) error = NULL;

  if (setting->given_by != NULL)
    {
      add_problem (self, _ ("%s_FILE=%s: set either this or %s, not both"), name, shown,
                   setting->given_by);
      return;
    }

  setting->given_by = name;
  setting->file = g_strdup (path);
  setting->bad = !read_secret (variable, path, &setting->text, &error);
  if (setting->bad)
    add_problem (self, "%s_FILE=%s: %s", name, shown, error->message);
}

static void
gather_by_name (AmpsConfig *self, AmpsVariable variable, const char *name,
                const char *const *const *sources, Source source)
{
  g_autofree char *file_name = g_strconcat (name, "_FILE", NULL);
  const char *text = amps_variable_look_up (sources[source], name);
  const char *path = amps_variables[variable].from_file
                         ? amps_variable_look_up (sources[source], file_name)
                         : NULL;

  if (text != NULL && source == SOURCE_ENVIRONMENT &&
      amps_config_names_is_service_link (name, text))
    {
      g_autofree char *shown = amps_variable_redact (&amps_variables[variable], text);

      g_ptr_array_add (self->warnings,
                       g_strdup_printf ("%s=%s is ignored: Kubernetes sets it for a Service of "
                                        "that name",
                                        name, shown));
      text = NULL;
    }

  if (text != NULL)
    take_text (self, variable, name, text);

  if (path != NULL)
    take_file (self, variable, name, path);
}

/* From the first source that has it. */
static void
gather (AmpsConfig *self, AmpsVariable variable, const char *const *const *sources)
{
  const AmpsVariableInfo *info = &amps_variables[variable];
  Setting *setting = &self->settings[variable];
  Source n_sources = self->scope == AMPS_CONFIG_SERVICE || info->for_clients ? N_SOURCES : 0;

  for (Source source = 0; source < n_sources && setting->given_by == NULL; source++)
    {
      gather_by_name (self, variable, info->name, sources, source);
      if (info->alias != NULL)
        gather_by_name (self, variable, info->alias, sources, source);
    }

  if (setting->given_by == NULL)
    {
      setting->given_by = info->name;
      setting->text = g_strdup (info->fallback);
    }
}

/* What a broker's settings may be only the backends know. */
static gboolean
config_check_value (AmpsConfig *self, AmpsVariable variable, const char *text, gint64 *number,
                    GError **error)
{
  if (!amps_variable_parse (&amps_variables[variable], text, number, error))
    return FALSE;

  if (self->backends != NULL && variable == VARIABLE_BROKER_HOST)
    return amps_config_backend_check_uris (self->backends, text, number, error);
  if (self->backends != NULL && variable == VARIABLE_BROKER_TYPE)
    return amps_config_backend_find (self->backends, text, number, error);
  return TRUE;
}

static void
parse (AmpsConfig *self, AmpsVariable variable)
{
  Setting *setting = &self->settings[variable];
  g_autoptr (GError) error = NULL;

  if (setting->text != NULL &&
      !config_check_value (self, variable, setting->text, &setting->number, &error))
    add_bad_value (self, variable, error->message);
}

/* Rules on more than one variable */

static gboolean
config_is_good (AmpsConfig *self, AmpsVariable variable)
{
  return self->settings[variable].text != NULL && !self->settings[variable].bad;
}

static gboolean
are_good (AmpsConfig *self, AmpsVariable one, AmpsVariable other)
{
  return config_is_good (self, one) && config_is_good (self, other);
}

/* @suffix: what is appended to it for another queue */
static void
check_queue_name (AmpsConfig *self, AmpsVariable variable, const char *suffix)
{
  /* If what names the backend is bad, too, the first one's rule is told. */
  const AmpsConfigBackend *known = amps_config_get_backend (self);
  g_autofree char *problem = NULL;

  if (self->backends == NULL || !config_is_good (self, variable))
    return;

  problem = amps_config_backend_find_name_problem (known != NULL ? known : self->backends[0],
                                                   self->settings[variable].text, suffix);
  if (problem != NULL)
    add_bad_value (self, variable, problem);
}

static void
check_dead_letters (AmpsConfig *self)
{
  const Setting *settings = self->settings;
  const char *subject = settings[VARIABLE_BROKER_SUBJECT].text;
  gboolean copied = settings[VARIABLE_DEAD_LETTER_MODE].number == AMPS_DEAD_LETTER_MODE_QUEUE;
  gboolean named = settings[VARIABLE_DEAD_LETTER_QUEUE].text != NULL;
  gboolean derived =
      settings[VARIABLE_QUEUE_DECLARE].number == AMPS_QUEUE_DECLARE_AUTO || (copied && !named);

  if (named && !copied)
    add_bad_value (self, VARIABLE_DEAD_LETTER_QUEUE,
                   _ ("is not used with DEAD_LETTER_MODE=broker; leave one of them out"));

  if (!config_is_good (self, VARIABLE_BROKER_SUBJECT))
    return;

  if (named && copied && strcmp (subject, settings[VARIABLE_DEAD_LETTER_QUEUE].text) == 0)
    add_bad_value (self, VARIABLE_DEAD_LETTER_QUEUE, _ ("must not be the same as BROKER_SUBJECT"));

  check_queue_name (self, VARIABLE_BROKER_SUBJECT, derived ? DEAD_LETTER_SUFFIX : NULL);
}

/* Read here so that mistakes come out at start, all in one go. */
static void
check_certificates (AmpsConfig *self)
{
  const char *address = self->settings[VARIABLE_WORKLOAD_ADDRESS].text;
  const char *ca = self->settings[VARIABLE_WORKLOAD_CA_FILE].text;
  const char *cert = self->settings[VARIABLE_WORKLOAD_CERT_FILE].text;
  const char *key = self->settings[VARIABLE_WORKLOAD_KEY_FILE].text;
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) ca_error = NULL;
  g_autoptr (GError) cert_error = NULL;

  if (!config_is_good (self, VARIABLE_WORKLOAD_ADDRESS))
    return;

  if (!g_str_has_prefix (address, "https:"))
    {
      for (AmpsVariable i = VARIABLE_WORKLOAD_CA_FILE; i <= VARIABLE_WORKLOAD_KEY_FILE; i++)
        if (config_is_good (self, i))
          add_bad_value (self, i, _ ("needs a WORKLOAD_ADDRESS that begins with https:"));
      return;
    }

  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    {
      add_bad_value (self, VARIABLE_WORKLOAD_ADDRESS,
                     _ ("https needs GLib's support for TLS: install glib-networking"));
      return;
    }

  if (ca != NULL && (database = g_tls_file_database_new (ca, &ca_error)) == NULL)
    add_bad_value (self, VARIABLE_WORKLOAD_CA_FILE, ca_error->message);

  if ((cert != NULL) != (key != NULL))
    add_bad_value (self, cert != NULL ? VARIABLE_WORKLOAD_CERT_FILE : VARIABLE_WORKLOAD_KEY_FILE,
                   _ ("WORKLOAD_CERT_FILE and WORKLOAD_KEY_FILE need each other"));
  else if (cert != NULL &&
           (certificate = g_tls_certificate_new_from_files (cert, key, &cert_error)) == NULL)
    add_bad_value (self, VARIABLE_WORKLOAD_CERT_FILE, cert_error->message);
}

static void
check_otlp (AmpsConfig *self)
{
  gboolean fatal;
  char *problem = amps_config_find_otlp_problem (self, &fatal);

  if (problem != NULL)
    g_ptr_array_add (fatal ? self->problems : self->warnings, problem);
}

static void
check_rules (AmpsConfig *self)
{
  const Setting *settings = self->settings;

  if (self->scope == AMPS_CONFIG_SERVICE && settings[VARIABLE_BROKER_SUBJECT].text == NULL)
    add_problem (self, _ ("BROKER_SUBJECT is required: the name of the queue to consume"));

  if (are_good (self, VARIABLE_BROKER_HOST, VARIABLE_BROKER_TYPE) &&
      settings[VARIABLE_BROKER_TYPE].number != settings[VARIABLE_BROKER_HOST].number)
    add_bad_value (self, VARIABLE_BROKER_TYPE, _ ("must match BROKER_HOST, or be left out"));

  if (are_good (self, VARIABLE_RETRY_MIN_BACKOFF, VARIABLE_RETRY_MAX_BACKOFF) &&
      settings[VARIABLE_RETRY_MIN_BACKOFF].number > settings[VARIABLE_RETRY_MAX_BACKOFF].number)
    add_bad_value (self, VARIABLE_RETRY_MIN_BACKOFF,
                   _ ("must not be longer than RETRY_MAX_BACKOFF"));

  if (are_good (self, VARIABLE_PORT, VARIABLE_METRICS_PORT) &&
      settings[VARIABLE_METRICS_ENABLED].number != 0 &&
      settings[VARIABLE_METRICS_PORT].number == settings[VARIABLE_PORT].number)
    add_bad_value (self, VARIABLE_METRICS_PORT, _ ("must not be the same as PORT"));

  if (config_is_good (self, VARIABLE_PORT) && settings[VARIABLE_PORT].number == 0 &&
      settings[VARIABLE_API_SOCKET].text == NULL)
    add_bad_value (self, VARIABLE_PORT,
                   _ ("must be from 1 to 65535; 0, for none, needs API_SOCKET"));

  check_queue_name (self, VARIABLE_DEAD_LETTER_QUEUE, NULL);
  check_dead_letters (self);
  check_certificates (self);
  check_otlp (self);
}

static void
fill_in (AmpsConfig *self)
{
  Setting *settings = self->settings;
  const AmpsConfigBackend *backend = amps_config_get_backend (self);
  Setting *type = &settings[VARIABLE_BROKER_TYPE];
  Setting *worker_id = &settings[VARIABLE_WORKER_ID];
  Setting *api_url = &settings[VARIABLE_API_URL];
  Setting *dead_letters = &settings[VARIABLE_DEAD_LETTER_QUEUE];

  self->broker_uris = amps_split_uris (settings[VARIABLE_BROKER_HOST].text);

  if (type->text == NULL && backend != NULL)
    type->text = g_strdup (backend->name);

  if (worker_id->text == NULL)
    worker_id->text = g_strdup (g_get_host_name ());

  if (api_url->text == NULL)
    api_url->text = amps_config_uri_format_api (settings[VARIABLE_PORT].number,
                                                settings[VARIABLE_API_SOCKET].text);

  if (dead_letters->text == NULL && settings[VARIABLE_BROKER_SUBJECT].text != NULL &&
      settings[VARIABLE_DEAD_LETTER_MODE].number == AMPS_DEAD_LETTER_MODE_QUEUE)
    dead_letters->text =
        g_strconcat (settings[VARIABLE_BROKER_SUBJECT].text, DEAD_LETTER_SUFFIX, NULL);
}

/**
 * amps_config_new_full:
 * @scope: who reads them
 * @environment: (array zero-terminated=1): `NAME=value`, as g_get_environ() has it
 * @dotenv_path: (nullable): a file that fills in what @environment leaves unset;
 *   it need not exist
 * @options: (array zero-terminated=1): `NAME=value` from the command line, which
 *   win
 * @backends: (nullable) (array zero-terminated=1): the kinds of brokers that there are, which
 *   outlive the settings; without them nothing is known of the broker but what is written
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT with a line for every
 *   bad value
 *
 * Reads files, and may block: to be called at start.
 *
 * Returns: (transfer full) (nullable): the settings, all valid
 */
AmpsConfig *
amps_config_new_full (AmpsConfigScope scope, const char *const *environment,
                      const char *dotenv_path, const char *const *options,
                      const AmpsConfigBackend *const *backends, GError **error)
{
  g_autoptr (AmpsConfig) self = g_object_new (AMPS_TYPE_CONFIG, NULL);
  g_auto (GStrv) dotenv = amps_dotenv_read (dotenv_path, self->problems);
  const char *const *const sources[N_SOURCES] = {
    [SOURCE_OPTIONS] = options,
    [SOURCE_ENVIRONMENT] = environment,
    [SOURCE_DOTENV] = (const char *const *) dotenv,
  };

  self->scope = scope;
  self->backends = backends;
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      gather (self, i, sources);
      parse (self, i);
    }
  check_rules (self);
  /* It may be why another one is wrong or missing. */
  amps_config_names_check (environment, (const char *const *) dotenv,
                           self->problems->len > 0 ? self->problems : self->warnings);

  if (self->problems->len > 0)
    {
      g_autofree char *message = NULL;

      g_ptr_array_add (self->problems, NULL);
      message = g_strjoinv ("\n", (char **) self->problems->pdata);
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, message);
      return NULL;
    }

  fill_in (self);
  g_ptr_array_add (self->warnings, NULL);
  return g_steal_pointer (&self);
}

/**
 * amps_config_new:
 * @environment: as for [ctor@Amps.Config.new_full]
 * @dotenv_path: (nullable): likewise
 * @options: likewise
 * @error: return location: likewise
 *
 * Takes whatever is said of the broker: there are no backends.
 *
 * Returns: (transfer full) (nullable): the settings
 */
AmpsConfig *
amps_config_new (const char *const *environment, const char *dotenv_path,
                 const char *const *options, GError **error)
{
  return amps_config_new_full (AMPS_CONFIG_SERVICE, environment, dotenv_path, options, NULL, error);
}

static char *
read_again (AmpsConfig *self, AmpsVariable variable, GError **error)
{
  const Setting *setting = &self->settings[variable];
  g_autofree char *shown = amps_variable_redact_path (setting->file);
  g_autofree char *text = NULL;
  g_autoptr (GError) bad = NULL;
  gint64 number;

  if (read_secret (variable, setting->file, &text, &bad) &&
      config_check_value (self, variable, text, &number, &bad) && number != setting->number)
    g_set_error_literal (&bad, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                         _ ("must be of the same type as before"));

  if (bad == NULL)
    return g_steal_pointer (&text);

  g_propagate_prefixed_error (error, g_steal_pointer (&bad), "%s_FILE=%s: ", setting->given_by,
                              shown);
  return NULL;
}

/**
 * amps_config_reload_secrets:
 * @self: the settings
 * @error: return location
 *
 * Reads the files of `NAME_FILE` variables again. They are small and local, so
 * this may be done in the main loop. If one can't be read or is not allowed, all
 * stay as they are. A secret that changed invalidates what its getter returned.
 *
 * Returns: whether all could be read
 */
gboolean
amps_config_reload_secrets (AmpsConfig *self, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_full (N_VARIABLES, g_free);

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      char *text = NULL;

      if (self->settings[i].file != NULL && (text = read_again (self, i, error)) == NULL)
        return FALSE;
      g_ptr_array_add (texts, text);
    }

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      if (texts->pdata[i] == NULL || strcmp (texts->pdata[i], self->settings[i].text) == 0)
        continue;

      g_free (self->settings[i].text);
      self->settings[i].text = g_steal_pointer (&texts->pdata[i]);
      if (i == VARIABLE_BROKER_HOST)
        {
          g_strfreev (self->broker_uris);
          self->broker_uris = amps_split_uris (self->settings[i].text);
        }
    }

  g_signal_emit (self, signals[SIGNAL_RELOADED], 0);
  return TRUE;
}

/**
 * amps_config_get_backend:
 * @self: the settings
 *
 * Returns: (transfer none) (nullable): the kind of broker that is used; %NULL if the settings
 *   were read without backends
 */
const AmpsConfigBackend *
amps_config_get_backend (AmpsConfig *self)
{
  return self->backends != NULL && config_is_good (self, VARIABLE_BROKER_HOST)
             ? self->backends[self->settings[VARIABLE_BROKER_HOST].number]
             : NULL;
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
