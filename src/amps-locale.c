/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-locale.h"

#include <glib.h>
#include <langinfo.h>
#include <libintl.h>
#include <locale.h>

/* What nl_langinfo() calls ASCII, which is all that the C locale knows. */
#define ASCII "ANSI_X3.4-1968"

/**
 * amps_locale_set_up:
 *
 * Speaks the user's language from now on. AMPS_LOCALEDIR in the environment
 * names where the translations are that are not installed yet.
 */
void
amps_locale_set_up (void)
{
  const char *folder = g_getenv ("AMPS_LOCALEDIR");

  /* Not LC_ALL: each category that nothing here asks for is a file more to open and map. */
  setlocale (LC_CTYPE, "");
  setlocale (LC_MESSAGES, "");
  setlocale (LC_NUMERIC, "");
  setlocale (LC_TIME, "");
  /* Minimal images have no other locale. Without this variable, which GLib looks at first,
   * quotation marks and the like would be shown as question marks. */
  if (g_str_equal (nl_langinfo (CODESET), ASCII))
    g_setenv ("CHARSET", "UTF-8", FALSE);
  bindtextdomain (GETTEXT_PACKAGE, folder != NULL ? folder : AMPS_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}

/**
 * amps_locale_leave:
 *
 * Speaks English from now on, as the log and the API do: GLib and the C library then
 * mix no other language into it. To be called before any thread begins.
 */
void
amps_locale_leave (void)
{
  setlocale (LC_MESSAGES, "C");
}
