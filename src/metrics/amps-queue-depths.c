/* SPDX-License-Identifier: MIT */
#include "amps-queue-depths.h"

typedef struct {
  char *queue; /* (owned) */
  guint64 n_messages;
} Depth;

struct _AmpsQueueDepths {
  GArray *depths; /* (owned) of Depth */
};

static void
depth_clear (gpointer data)
{
  g_free (((Depth *) data)->queue);
}

/**
 * amps_queue_depths_new:
 *
 * Returns: (transfer full): depths of no queue
 */
AmpsQueueDepths *
amps_queue_depths_new (void)
{
  AmpsQueueDepths *self = g_new0 (AmpsQueueDepths, 1);

  self->depths = g_array_new (FALSE, FALSE, sizeof (Depth));
  g_array_set_clear_func (self->depths, depth_clear);
  return self;
}

/**
 * amps_queue_depths_free:
 * @self: (transfer full): depths
 */
void
amps_queue_depths_free (AmpsQueueDepths *self)
{
  g_array_unref (self->depths);
  g_free (self);
}

/**
 * amps_queue_depths_add:
 * @self: depths
 * @queue: what a queue, or a group of queues, is called
 * @n_messages: how many messages wait there
 *
 * Adds to what was added for @queue before: a metric may have each name only once.
 */
void
amps_queue_depths_add (AmpsQueueDepths *self, const char *queue, guint64 n_messages)
{
  Depth depth;

  for (unsigned int i = 0; i < self->depths->len; i++)
    {
      Depth *known = &g_array_index (self->depths, Depth, i);

      if (g_str_equal (known->queue, queue))
        {
          known->n_messages += n_messages;
          return;
        }
    }

  depth.queue = g_strdup (queue);
  depth.n_messages = n_messages;
  g_array_append_val (self->depths, depth);
}

/**
 * amps_queue_depths_get:
 * @self: (nullable): depths; %NULL while they are not known
 * @queue: what a queue, or a group of queues, is called
 * @n_messages: (out): how many messages wait there
 *
 * Returns: whether that is known
 */
gboolean
amps_queue_depths_get (const AmpsQueueDepths *self, const char *queue, guint64 *n_messages)
{
  for (unsigned int i = 0; self != NULL && i < self->depths->len; i++)
    {
      const Depth *depth = &g_array_index (self->depths, Depth, i);

      if (g_str_equal (depth->queue, queue))
        {
          *n_messages = depth->n_messages;
          return TRUE;
        }
    }

  return FALSE;
}

/* Prometheus's text format: these three are escaped, and all else is UTF-8. */
static void
queue_depths_append_escaped (GString *text, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  for (const char *c = valid; *c != '\0'; c++)
    {
      if (*c == '\n')
        g_string_append (text, "\\n");
      else if (*c == '"' || *c == '\\')
        g_string_append_printf (text, "\\%c", *c);
      else
        g_string_append_c (text, *c);
    }
}

/**
 * amps_queue_depths_append:
 * @self: (nullable): depths; %NULL while they are not known
 * @text: gets them in Prometheus's text format
 */
void
amps_queue_depths_append (const AmpsQueueDepths *self, GString *text)
{
  g_string_append (text, "# HELP amps_queue_messages Messages that wait in a queue.\n"
                         "# TYPE amps_queue_messages gauge\n");
  for (unsigned int i = 0; self != NULL && i < self->depths->len; i++)
    {
      const Depth *depth = &g_array_index (self->depths, Depth, i);

      g_string_append (text, "amps_queue_messages{queue=\"");
      queue_depths_append_escaped (text, depth->queue);
      g_string_append_printf (text, "\"} %" G_GUINT64_FORMAT "\n", depth->n_messages);
    }
}
