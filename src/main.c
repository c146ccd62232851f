/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-application.h"
#include "amps-locale.h"
#include "amps-signals.h"
#include "base/amps-log.h"
#include "broker/amps-broker-factory.h"
#include "config/amps-config.h"

#include <glib/gi18n.h>
#include <malloc.h>
#include <stdlib.h>

/* Bytes: what is larger goes back to the system when it is freed. By itself glibc stops
 * that at the first large body, and keeps twice the memory that there is in use. */
#define LARGE_BLOCK (256 * 1024)

/* What Debian's OpenSSL asks for, too: TLS 1.2 and keys like RSA's of 2048 bits. By itself
 * GnuTLS takes TLS 1.0 and half as many. */
#define TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%PROFILE_MEDIUM:%COMPAT"

static gboolean
parse_command_line (int *argc, char ***argv, GOptionGroup *settings, gboolean *check_config,
                    gboolean *version, GError **error)
{
  const GOptionEntry entries[] = {
    { "check-config", 0, 0, G_OPTION_ARG_NONE, check_config,
      N_ ("Check the settings, print them and exit"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, version, N_ ("Print the version and exit"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
      context, _ ("Takes CloudEvents from a queue and POSTs each to the HTTP server next to it, at "
                  "least once.\nA message is settled only when its job has ended, or when the "
                  "broker has confirmed a copy\nof it; after a failure a job may run again."));
  g_option_context_set_description (
      context, _ ("Each option is also a variable: --max-concurrency=20 is MAX_CONCURRENCY=20 in "
                  "the environment\nor in the file .env. Only BROKER_SUBJECT is required.\n"));
  g_option_context_set_main_group (context, settings);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  /* GLib's own error would show what may be a password behind the name. */
  g_option_context_set_ignore_unknown_options (context, TRUE);
  return g_option_context_parse (context, argc, argv, error) &&
         amps_config_check_arguments (*argc, *argv, error);
}

static void
show_settings (AmpsConfig *config)
{
  const char *const *warnings = amps_config_get_warnings (config);
  g_autofree char *settings = amps_config_to_string (config);

  for (; *warnings != NULL; warnings++)
    g_printerr (_ ("amps: warning: %s\n"), *warnings);
  g_print ("%s", settings);
}

static int
main_run (int argc, char **argv)
{
  g_autoptr (GStrvBuilder) given = g_strv_builder_new ();
  g_auto (GStrv) environment = g_get_environ ();
  g_auto (GStrv) options = NULL;
  g_autoptr (AmpsConfig) config = NULL;
  g_autoptr (AmpsApplication) application = NULL;
  g_autoptr (GError) error = NULL;
  gboolean check_config = FALSE, version = FALSE;

  /* Before any thread begins. Otherwise libsoup makes the connections of a session one
   * after the other, for the first might do for all in HTTP/2. */
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);

  amps_locale_set_up ();
  if (!parse_command_line (&argc, &argv,
                           amps_config_create_option_group (AMPS_CONFIG_SERVICE, given),
                           &check_config, &version, &error))
    {
      g_printerr ("amps: %s\n", error->message);
      return AMPS_CONFIG_EXIT_STATUS;
    }

  if (version)
    {
      g_print ("amps %s\n", AMPS_VERSION);
      return EXIT_SUCCESS;
    }

  options = g_strv_builder_end (given);
  config = amps_config_new_full (AMPS_CONFIG_SERVICE, (const char *const *) environment, ".env",
                                 (const char *const *) options, amps_broker_factory_get_backends (),
                                 &error);
  if (config == NULL)
    {
      g_printerr ("amps: %s\n", error->message);
      return AMPS_CONFIG_EXIT_STATUS;
    }

  if (check_config)
    {
      show_settings (config);
      return EXIT_SUCCESS;
    }

  amps_locale_leave ();
  amps_log_set_up (amps_config_get_log_format (config), amps_config_get_debug (config),
                   amps_config_get_subject (config));
  g_setenv ("G_TLS_GNUTLS_PRIORITY", TLS_PRIORITY, FALSE);
  mallopt (M_MMAP_THRESHOLD, LARGE_BLOCK);
  application = amps_application_new (config);
  if (!amps_application_run (application, &error))
    {
      amps_log (CRITICAL, START_FAILED, "Could not start: %s", error->message);
      return EXIT_FAILURE;
    }

  return EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  amps_signals_hold ();
  return main_run (argc, argv);
}
