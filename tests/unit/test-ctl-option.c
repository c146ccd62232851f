/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-error.h"
#include "ctl/amps-ctl-option.h"

#include <string.h>

typedef struct {
  gboolean flag;
  char *text;
  char **texts;
  char *path;
  char *maybe;
  gint64 duration;
  gint64 wait;
  unsigned int number;
} Values;

#define OPTION(kind, member)                                                                       \
  {                                                                                                \
#member, 0, AMPS_CTL_OPTION_##kind, G_STRUCT_OFFSET(Values, member), NULL, NULL                \
  }

static const AmpsCtlOption options[] = {
  OPTION (FLAG, flag),
  OPTION (TEXT, text),
  OPTION (TEXTS, texts),
  OPTION (PATH, path),
  OPTION (OPTIONAL_TEXT, maybe),
  OPTION (DURATION, duration),
  OPTION (OPTIONAL_DURATION, wait),
  OPTION (NUMBER, number),
  { NULL },
};

static const AmpsCtlOption *
find (const char *name)
{
  const AmpsCtlOption *option = options;

  while (strcmp (option->name, name) != 0)
    option++;
  return option;
}

static void
store_good (Values *values, const char *name, const char *value)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (amps_ctl_option_store (find (name), values, value, &error));
  g_assert_no_error (error);
}

static void
assert_bad (Values *values, const char *name, const char *value)
{
  g_autofree char *start = g_strdup_printf ("--%s: ", name);
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_ctl_option_store (find (name), values, value, &error));
  g_assert_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE);
  g_assert_true (g_str_has_prefix (error->message, start));
}

static void
test_values (void)
{
  g_assert_false (amps_ctl_option_takes_value (find ("flag")));
  g_assert_false (amps_ctl_option_needs_value (find ("flag")));
  g_assert_true (amps_ctl_option_takes_value (find ("maybe")));
  g_assert_false (amps_ctl_option_needs_value (find ("maybe")));
  g_assert_false (amps_ctl_option_needs_value (find ("wait")));
  g_assert_true (amps_ctl_option_needs_value (find ("text")));
}

static void
test_store (void)
{
  Values values = { 0 };

  store_good (&values, "flag", NULL);
  g_assert_true (values.flag);
  store_good (&values, "text", "a");
  store_good (&values, "text", "b");
  g_assert_cmpstr (values.text, ==, "b");
  store_good (&values, "texts", "a");
  store_good (&values, "texts", "b");
  g_assert_cmpuint (g_strv_length (values.texts), ==, 2);
  g_assert_cmpstr (values.texts[1], ==, "b");
  /* A path need not be UTF-8. */
  store_good (&values, "path", "\xff");
  g_assert_cmpstr (values.path, ==, "\xff");
  store_good (&values, "maybe", NULL);
  g_assert_cmpstr (values.maybe, ==, "");
  store_good (&values, "duration", "2s");
  g_assert_cmpint (values.duration, ==, 2 * G_USEC_PER_SEC);
  store_good (&values, "wait", NULL);
  g_assert_cmpint (values.wait, ==, -1);
  store_good (&values, "wait", "0s");
  g_assert_cmpint (values.wait, ==, 0);
  store_good (&values, "number", "7");
  g_assert_cmpuint (values.number, ==, 7);
  amps_ctl_options_clear (options, &values);
  g_assert_null (values.text);
  g_assert_null (values.texts);
  g_assert_null (values.path);
  g_assert_null (values.maybe);
}

static void
test_bad (void)
{
  Values values = { 0 };

  assert_bad (&values, "text", "\xff");
  assert_bad (&values, "texts", "\xff");
  assert_bad (&values, "duration", "0s");
  assert_bad (&values, "duration", "soon");
  assert_bad (&values, "number", "-1");
  amps_ctl_options_clear (options, &values);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl-option/values", test_values);
  g_test_add_func ("/ctl-option/store", test_store);
  g_test_add_func ("/ctl-option/bad", test_bad);
  return g_test_run ();
}
