/* SPDX-License-Identifier: MIT */
#include "bad-settings.h"

#include "base/amps-error.h"

#include <string.h>

static const char *const secrets[] = { "Secret", "Tail", "Tr0u" };

static void
assert_one_refused (const BadSetting *bad, ReadConfigFunc read_config)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strndup (bad->settings, strcspn (bad->settings, "="));

  g_test_message ("%s", bad->settings);
  g_assert_null (read_config (bad->settings, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
  g_test_message ("%s", error->message);
  g_assert_true (g_str_has_prefix (error->message, name));
  g_assert_nonnull (strstr (error->message, bad->says));
  g_assert_null (strchr (error->message, '\n'));
  for (unsigned int i = 0; i < G_N_ELEMENTS (secrets); i++)
    g_assert_null (strstr (error->message, secrets[i]));
}

/* Each alone is one error, which names it and shows nothing that is secret. */
void
assert_refused (const BadSetting *bad, unsigned int n_bad, ReadConfigFunc read_config)
{
  for (unsigned int i = 0; i < n_bad; i++)
    assert_one_refused (&bad[i], read_config);
}
