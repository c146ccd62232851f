/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"

#include <gio/gio.h>

#define N_THREADS 8

/* Each has its words on every wire, and no two share a D-Bus name. */
static void
test_every_code (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (unsigned int code = 0; code < AMPS_N_ERRORS; code++)
    {
      const AmpsErrorInfo *info = amps_error_get_info (code);

      g_assert_true (g_dbus_is_error_name (info->dbus_name));
      g_assert_true (g_hash_table_add (names, (gpointer) info->dbus_name));
      g_assert_cmpuint (info->http_status, >=, 400);
      g_assert_cmpuint (info->http_status, <, 600);
      g_assert_cmpstr (info->title, !=, "");
    }
}

/* Of another domain it is the fault of AMPS. */
static void
test_errors (void)
{
  g_autoptr (GError) own = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_CONFLICT, "");
  g_autoptr (GError) foreign = g_error_new_literal (G_IO_ERROR, AMPS_ERROR_CONFLICT, "");

  g_assert_true (amps_error_find_info (own) == amps_error_get_info (AMPS_ERROR_CONFLICT));
  g_assert_true (amps_error_find_info (foreign) == amps_error_get_info (AMPS_ERROR_FAILED));
}

static gpointer
get_domain (gpointer data G_GNUC_UNUSED)
{
  return GUINT_TO_POINTER (AMPS_ERROR);
}

/* To be seen by ThreadSanitizer: backends make errors in threads of their own. */
static void
test_threads (void)
{
  GThread *threads[N_THREADS];

  for (unsigned int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("error", get_domain, NULL);
  for (unsigned int i = 0; i < N_THREADS; i++)
    g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (threads[i])), ==, AMPS_ERROR);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/threads", test_threads);
  g_test_add_func ("/error/errors", test_errors);
  g_test_add_func ("/error/every-code", test_every_code);
  return g_test_run ();
}
