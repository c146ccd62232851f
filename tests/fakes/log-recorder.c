/* SPDX-License-Identifier: MIT */
#include "log-recorder.h"

#include <string.h>

/* g_test_expect_message() does not see structured logging. The writer is the
 * process's, so what it writes to is, too. */
static GString *recorded;

static GLogWriterOutput
record (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & G_LOG_LEVEL_WARNING) == 0)
    return g_log_writer_default (level, fields, n_fields, user_data);

  for (gsize i = 0; i < n_fields; i++)
    {
      if (strcmp (fields[i].key, "MESSAGE") == 0)
        g_string_append_printf (recorded, "%s\n", (const char *) fields[i].value);
    }

  return G_LOG_WRITER_HANDLED;
}

/* From here on warnings are recorded rather than fatal. */
void
log_recorder_start (void)
{
  recorded = g_string_new (NULL);
  g_log_set_writer_func (record, NULL, NULL);
}

/* The warnings since the last time, a line each. */
char *
log_recorder_take (void)
{
  char *taken = g_strdup (recorded->str);

  g_string_truncate (recorded, 0);
  return taken;
}
