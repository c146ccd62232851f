/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-locale.h"
#include "config/amps-config-private.h"

#include <libintl.h>
#include <locale.h>
#include <string.h>

static void
test_help (void)
{
  g_autoptr (GStrvBuilder) given = g_strv_builder_new ();
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *help = NULL;

  g_option_context_set_main_group (context,
                                   amps_config_create_option_group (AMPS_CONFIG_SERVICE, given));
  help = g_option_context_get_help (context, TRUE, NULL);
  g_assert_nonnull (strstr (help, "--port=WERT "));

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const char *description = amps_variables[i].description;

      g_test_message ("%s", amps_variables[i].name);
      g_assert_null (strstr (help, description));
      g_assert_nonnull (strstr (help, dgettext (GETTEXT_PACKAGE, description)));
    }
}

/* Those of the parsers in core, too. */
static void
test_errors (void)
{
  const char *const none[] = { NULL };
  const char *const environment[] = { "JOB_TIMEOUT=x", "PORT=0", "API_SOCKET_MODE=660", NULL };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_null (amps_config_new (environment, NULL, none, &error));
  lines = g_strsplit (error->message, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_true (g_str_has_prefix (lines[0], "JOB_TIMEOUT=x: muss eine Dauer sein"));
  g_assert_true (g_str_has_prefix (lines[1], "API_SOCKET_MODE=660: muss aus vier Oktalziffern"));
  g_assert_true (g_str_has_prefix (lines[2], "BROKER_SUBJECT ist erforderlich"));
  g_assert_true (g_str_has_prefix (lines[3], "PORT=0: muss zwischen 1 und 65535 liegen; 0,"));
}

/* LANGUAGE chooses the translation in any locale but C; newer C libraries count
 * C.UTF-8 as C. */
static gboolean
is_translating (void)
{
  static const char *const locales[] = { "C.UTF-8", "de_DE.UTF-8", "en_US.UTF-8" };
  const char *description = amps_variables[0].description;

  for (unsigned int i = 0; i < G_N_ELEMENTS (locales); i++)
    {
      if (setlocale (LC_ALL, locales[i]) != NULL &&
          strcmp (dgettext (GETTEXT_PACKAGE, description), description) != 0)
        return TRUE;
    }

  return FALSE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_assert_true (g_setenv ("LANGUAGE", "de", TRUE));
  g_assert_true (g_setenv ("AMPS_LOCALEDIR", LOCALE_FOLDER, TRUE));
  amps_locale_set_up ();

  if (!is_translating ())
    {
      g_print ("1..0 # SKIP there is no locale here but C\n");
      return 0;
    }

  g_test_add_func ("/translation/help", test_help);
  g_test_add_func ("/translation/errors", test_errors);
  return g_test_run ();
}
