/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-backend.h"
#include "amps-config-uri.h"
#include "base/amps-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Returns: (transfer full): what @get_text says of each backend */
static char *
config_backend_list (const AmpsConfigBackend *const *backends,
                     const char *(*get_text) (const AmpsConfigBackend *backend))
{
  GString *text = g_string_new (NULL);

  for (; *backends != NULL; backends++)
    g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", get_text (*backends));
  return g_string_free (text, FALSE);
}

static const char *
get_name (const AmpsConfigBackend *backend)
{
  return backend->name;
}

static const char *
get_example (const AmpsConfigBackend *backend)
{
  return backend->example;
}

/**
 * amps_config_backend_find:
 * @backends: (array zero-terminated=1): which there are
 * @name: of one of them
 * @index: (out): where it is in @backends
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT, says which there are
 *
 * Returns: whether it is there
 */
gboolean
amps_config_backend_find (const AmpsConfigBackend *const *backends, const char *name, gint64 *index,
                          GError **error)
{
  g_autofree char *names = NULL;

  for (*index = 0; backends[*index] != NULL; (*index)++)
    {
      if (g_str_equal (backends[*index]->name, name))
        return TRUE;
    }

  names = config_backend_list (backends, get_name);
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("must be one of: %s"), names);
  return FALSE;
}

static gboolean
has_scheme_of (const AmpsConfigBackend *backend, const char *uri)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (backend->schemes) && backend->schemes[i] != NULL; i++)
    {
      if (g_str_has_prefix (uri, backend->schemes[i]))
        return TRUE;
    }

  return FALSE;
}

static gboolean
check_uri (const AmpsConfigBackend *const *backends, const char *uri, gint64 *index, GError **error)
{
  g_autofree char *examples = config_backend_list (backends, get_example);
  g_autofree char *like = g_strdup_printf (
      _ ("must be like one of these: %s; each with its scheme where there are several"), examples);

  for (*index = 0; backends[*index] != NULL; (*index)++)
    {
      const AmpsConfigBackend *backend = backends[*index];

      if (has_scheme_of (backend, uri))
        return (!backend->has_authority || amps_config_uri_check (uri, like, error)) &&
               backend->check_uri (uri, error);
    }

  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, like);
  return FALSE;
}

/**
 * amps_config_backend_check_uris:
 * @backends: (array zero-terminated=1): which there are
 * @text: URIs of brokers that are tried in turn, separated by commas
 * @index: (out): where in @backends the one is that all of them need
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT, says what is allowed and never
 *   shows @text
 *
 * Returns: whether @text is allowed
 */
gboolean
amps_config_backend_check_uris (const AmpsConfigBackend *const *backends, const char *text,
                                gint64 *index, GError **error)
{
  g_auto (GStrv) uris = amps_split_uris (text);

  /* Nothing but blanks has no fault, but is no broker either. */
  if (uris[0] == NULL)
    return check_uri (backends, text, index, error);

  for (unsigned int i = 0; uris[i] != NULL; i++)
    {
      gint64 another;

      if (!check_uri (backends, uris[i], &another, error))
        return FALSE;
      if (i > 0 && another != *index)
        {
          g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                               _ ("must all be of one type"));
          return FALSE;
        }
      *index = another;
    }

  return TRUE;
}

/**
 * amps_config_backend_find_name_problem:
 * @self: a backend
 * @name: of the queue that is consumed, or of another one
 * @suffix: (nullable): what makes the name of its dead letters, if they have no other
 *
 * Returns: (transfer full) (nullable): why the backend can't have such queues
 */
char *
amps_config_backend_find_name_problem (const AmpsConfigBackend *self, const char *name,
                                       const char *suffix)
{
  unsigned int longest = (unsigned int) self->max_queue_name;
  unsigned int room = suffix != NULL ? (unsigned int) strlen (suffix) : 0;

  if (strlen (name) > longest)
    return g_strdup_printf (_ ("must be at most %u bytes"), longest);
  if (strlen (name) > longest - room)
    return g_strdup_printf (_ ("must leave room for the name of its dead letters: at most %u "
                               "bytes, or %u with DEAD_LETTER_QUEUE set and "
                               "QUEUE_DECLARE=passive"),
                            longest - room, longest);
  return NULL;
}
