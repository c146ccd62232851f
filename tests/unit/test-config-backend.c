/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "config/amps-config.h"

#include <string.h>

static gboolean
refuse_bad (const char *uri, GError **error)
{
  if (strstr (uri, "bad") == NULL)
    return TRUE;

  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, "makes no sense");
  return FALSE;
}

static const AmpsConfigBackend host_backend = {
  .name = "host",
  .example = "host://name",
  .schemes = { "host://", "hosts://" },
  .has_authority = TRUE,
  .max_queue_name = 10,
  .check_uri = refuse_bad,
};

static const AmpsConfigBackend file_backend = {
  .name = "file",
  .example = "file:path",
  .schemes = { "file:" },
  .max_queue_name = 20,
  .check_uri = refuse_bad,
};

static const AmpsConfigBackend *const backends[] = { &host_backend, &file_backend, NULL };

static void
test_find (void)
{
  g_autoptr (GError) error = NULL;
  gint64 index;

  g_assert_true (amps_config_backend_find (backends, "file", &index, NULL));
  g_assert_cmpint (index, ==, 1);
  g_assert_false (amps_config_backend_find (backends, "nats", &index, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "host, file"));
}

static void
test_check_uris (void)
{
  static const struct {
    const char *text;
    gint64 index;
    const char *problem; /* (nullable) a part of what is said of it */
  } cases[] = {
    { "host://a", 0, NULL },
    { "hosts://a, host://b", 0, NULL },
    { "file:a b", 1, NULL },
    { "host://a b", 0, "%XX" },
    { "host://a:0", 0, "port" },
    { "host:a", 0, "host://name, file:path" },
    { "nats://a", 0, "host://name, file:path" },
    { " ", 0, "host://name, file:path" },
    { "host://a,file:///b", 0, "one type" },
    { "host://a,host://bad", 0, "makes no sense" },
    { "file:bad", 0, "makes no sense" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 index;
      gboolean good = amps_config_backend_check_uris (backends, cases[i].text, &index, &error);

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (good, ==, cases[i].problem == NULL);
      if (good)
        {
          g_assert_no_error (error);
          g_assert_cmpint (index, ==, cases[i].index);
          continue;
        }
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases[i].problem));
    }
}

static void
test_names (void)
{
  static const struct {
    const AmpsConfigBackend *backend;
    const char *name;
    const char *suffix;
    const char *problem; /* (nullable) a part of it */
  } cases[] = {
    { &host_backend, "0123456789", NULL, NULL },
    { &host_backend, "0123456789x", NULL, "at most 10 bytes" },
    { &file_backend, "0123456789x", NULL, NULL },
    { &host_backend, "01234", ".dead", NULL },
    { &host_backend, "012345", ".dead", "at most 5 bytes, or 10 with" },
    { &file_backend, "012345", ".dead", NULL },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *problem =
          amps_config_backend_find_name_problem (cases[i].backend, cases[i].name, cases[i].suffix);

      g_test_message ("%s", cases[i].name);
      if (cases[i].problem == NULL)
        g_assert_null (problem);
      else
        g_assert_nonnull (strstr (problem, cases[i].problem));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-backend/find", test_find);
  g_test_add_func ("/config-backend/check-uris", test_check_uris);
  g_test_add_func ("/config-backend/names", test_names);
  return g_test_run ();
}
