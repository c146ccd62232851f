/* SPDX-License-Identifier: MIT */
#include "amps-ctl-program.h"
#include "amps-locale.h"

int
main (int argc G_GNUC_UNUSED, char **argv)
{
  g_auto (GStrv) environment = g_get_environ ();

  /* See main.c of AMPS. */
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
  amps_locale_set_up ();
  return amps_ctl_program_run ((const char *const *) argv, (const char *const *) environment);
}
