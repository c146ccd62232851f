/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "config/amps-secret.h"
#include "fixture-tests.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("secret-XXXXXX", &f->path, &error);

  g_assert_no_error (error);
  g_assert_true (g_close (fd, &error));
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_free (f->path);
}

static void
assert_read (Fixture *f, const char *content, gssize length, const char *expected)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (f->path, content, length, NULL));
  g_assert_cmpint (amps_secret_read (f->path, &text, &error), ==, expected != NULL);
  g_assert_cmpstr (text, ==, expected);
  if (expected != NULL)
    {
      g_assert_no_error (error);
      return;
    }

  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
  g_assert_null (strstr (error->message, f->path));
}

static void
test_lines (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_read (f, "secret", -1, "secret");
  assert_read (f, "secret\n", -1, "secret");
  assert_read (f, "secret\r\n\n", -1, "secret");
  assert_read (f, " two words ", -1, " two words ");
}

/* An accident, which must not take the protection away. */
static void
test_nothing (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_read (f, "", -1, NULL);
  assert_read (f, "\r\n\n", -1, NULL);
  assert_read (f, "a\0b", 3, NULL);
}

/* Its path may be the secret, by mistake. */
static void
test_no_file (Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_secret_read ("hunter2", &text, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
  g_assert_null (strstr (error->message, "hunter2"));
  g_assert_null (text);
}

FIXTURE_TESTS = {
  { "/secret/lines", test_lines },
  { "/secret/nothing", test_nothing },
  { "/secret/no-file", test_no_file },
};

FIXTURE_TESTS_MAIN
