/* SPDX-License-Identifier: MIT */
#include "amps-embedded-worker.h"

#include "base/amps-error.h"
#include "base/amps-parse.h"

#include <string.h>

#define DEFAULT_LEASE (30 * G_USEC_PER_SEC)
#define MIN_LEASE G_USEC_PER_SEC

static gboolean
embedded_settings_fail (GError **error, const char *what)
{
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, what);
  return FALSE;
}

static gboolean
embedded_settings_set_parameter (AmpsEmbeddedSettings *self, const char *name, const char *value,
                                 GError **error)
{
  if (strcmp (name, "synchronous") == 0)
    {
      self->durable = strcmp (value, "full") == 0;
      return self->durable || strcmp (value, "normal") == 0 ||
             embedded_settings_fail (error, "synchronous must be full or normal");
    }

  if (strcmp (name, "lease") == 0)
    return (amps_parse_duration (value, &self->lease, NULL) && self->lease >= MIN_LEASE) ||
           embedded_settings_fail (error, "lease must be a duration of 1s or more");

  return embedded_settings_fail (error, "sqlite: has only the parameters synchronous and lease");
}

static gboolean
embedded_settings_set_parameters (AmpsEmbeddedSettings *self, const char *query, GError **error)
{
  GUriParamsIter iter;
  char *name;
  char *value;

  g_uri_params_iter_init (&iter, query, -1, "&", G_URI_PARAMS_NONE);
  while (g_uri_params_iter_next (&iter, &name, &value, error))
    {
      g_autofree char *owned_name = name;
      g_autofree char *owned_value = value;

      if (!embedded_settings_set_parameter (self, owned_name, owned_value, error))
        return FALSE;
    }

  return *error == NULL;
}

/**
 * amps_embedded_settings_new:
 * @uri: `sqlite:///path`, or `sqlite::memory:`; the parameters `synchronous`
 *   (`full` or `normal`) and `lease` may follow
 * @subject: the queue to consume
 * @dead_letters: (nullable): the queue of dead letters; %NULL to discard them
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * Returns: (transfer full) (nullable): the settings
 */
AmpsEmbeddedSettings *
amps_embedded_settings_new (const char *uri, const char *subject, const char *dead_letters,
                            GError **error)
{
  g_autoptr (AmpsEmbeddedSettings) self = g_new0 (AmpsEmbeddedSettings, 1);
  g_autoptr (GError) problem = NULL;
  const char *start = uri + strlen ("sqlite:");
  const char *question = strchr (uri, '?');
  g_autofree char *location =
      question != NULL ? g_strndup (start, (gsize) (question - start)) : g_strdup (start);

  self->subject = g_strdup (subject);
  self->dead_letters = g_strdup (dead_letters);
  self->durable = TRUE;
  self->lease = DEFAULT_LEASE;

  if (strcmp (location, ":memory:") == 0)
    self->path = g_strdup (location);
  else if (g_str_has_prefix (location, "///") && location[3] != '\0')
    self->path = g_uri_unescape_string (location + 2, NULL);
  else
    embedded_settings_fail (&problem,
                            "must be like sqlite:///path/queue.db, with an absolute path");

  if (problem == NULL && self->path == NULL)
    embedded_settings_fail (&problem, "its path can't be read");
  if (problem == NULL && question != NULL)
    embedded_settings_set_parameters (self, question + 1, &problem);

  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }

  return g_steal_pointer (&self);
}

/**
 * amps_embedded_settings_free:
 * @self: (transfer full): settings that no thread needs any more
 */
void
amps_embedded_settings_free (AmpsEmbeddedSettings *self)
{
  g_clear_pointer (&self->budget, amps_byte_budget_unref);
  g_free (self->path);
  g_free (self->subject);
  g_free (self->dead_letters);
  g_free (self);
}
