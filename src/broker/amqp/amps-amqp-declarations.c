/* SPDX-License-Identifier: MIT */
#include "amps-amqp-declarations.h"

#include "amps-amqp-topology.h"
#include "base/amps-error.h"

/* Many jobs may be rejected at once: they share the answer to the first one. */
#define REFUSAL_LIFETIME (2 * G_USEC_PER_SEC)

struct _AmpsAmqpDeclarations {
  AmpsAmqpConnection *connection; /* outlives them */
  GHashTable *found;              /* (owned) queues that are there */
  GHashTable *refused;            /* (owned) retry queue → why it may not be declared */
  char *no_dead_letters;          /* (owned) (nullable) why there is no queue for them */
  gint64 asked;                   /* monotonic µs: when that was so */
};

/**
 * amps_amqp_declarations_new:
 * @connection: one that publishes, whose channel for declaring is open
 *
 * Returns: (transfer full): declarations that know of no queue
 */
AmpsAmqpDeclarations *
amps_amqp_declarations_new (AmpsAmqpConnection *connection)
{
  AmpsAmqpDeclarations *self = g_new0 (AmpsAmqpDeclarations, 1);

  self->connection = connection;
  self->found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

/**
 * amps_amqp_declarations_free:
 * @self: (transfer full): declarations
 */
void
amps_amqp_declarations_free (AmpsAmqpDeclarations *self)
{
  g_hash_table_unref (self->found);
  g_hash_table_unref (self->refused);
  g_free (self->no_dead_letters);
  g_free (self);
}

/* A request that fails without a @why has ended the connection. */
static gboolean
amqp_declarations_take_answer (AmpsAmqpDeclarations *self, const char *queue, gboolean there,
                               const char *why, GError **error)
{
  if (there)
    g_hash_table_add (self->found, g_strdup (queue));
  else if (why == NULL)
    g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "the connection broke");

  return there;
}

/**
 * amps_amqp_declarations_ensure_retry_queue:
 * @self: declarations
 * @queue: its name
 * @delay: µs after which messages go back to the subject
 * @error: return location: %AMPS_ERROR_NOT_PERMITTED for as long as the connection
 *   lives; anything else if it has ended
 *
 * In the I/O thread.
 *
 * Returns: whether the queue is there
 */
gboolean
amps_amqp_declarations_ensure_retry_queue (AmpsAmqpDeclarations *self, const char *queue,
                                           gint64 delay, GError **error)
{
  const char *why;
  char *problem;

  if (g_hash_table_contains (self->found, queue))
    return TRUE;

  why = g_hash_table_lookup (self->refused, queue);
  if (why == NULL)
    {
      gboolean there =
          amps_amqp_topology_ensure_retry_queue (self->connection, queue, delay, &problem);

      if (amqp_declarations_take_answer (self, queue, there, problem, error))
        return TRUE;
      if (problem == NULL)
        return FALSE;
      why = problem;
      g_hash_table_insert (self->refused, g_strdup (queue), problem);
    }

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED,
               "the queue “%s” could not be declared: %s", queue, why);
  return FALSE;
}

/**
 * amps_amqp_declarations_ensure_dead_letter_queue:
 * @self: declarations
 * @queue: its name
 * @error: return location: %AMPS_ERROR_NOT_PERMITTED for now; anything else if the
 *   connection has ended
 *
 * In the I/O thread. Somebody may make the queue, or permit it, at any time, so it is
 * asked for again.
 *
 * Returns: whether the queue is there
 */
gboolean
amps_amqp_declarations_ensure_dead_letter_queue (AmpsAmqpDeclarations *self, const char *queue,
                                                 GError **error)
{
  gint64 now = g_get_monotonic_time ();
  gboolean there;

  if (g_hash_table_contains (self->found, queue))
    return TRUE;

  if (self->no_dead_letters == NULL || now - self->asked >= REFUSAL_LIFETIME)
    {
      g_clear_pointer (&self->no_dead_letters, g_free);
      self->asked = now;
      there = amps_amqp_topology_ensure_dead_letter_queue (self->connection, queue,
                                                           &self->no_dead_letters);
      if (amqp_declarations_take_answer (self, queue, there, self->no_dead_letters, error))
        return TRUE;
      if (self->no_dead_letters == NULL)
        return FALSE;
    }

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED,
               "the queue “%s” does not exist and can't be declared (%s); declare it, let this "
               "user do so, or set DEAD_LETTER_QUEUE to one that exists",
               queue, self->no_dead_letters);
  return FALSE;
}

/**
 * amps_amqp_declarations_forget:
 * @self: declarations
 * @queue: a queue that has turned out to be gone
 */
void
amps_amqp_declarations_forget (AmpsAmqpDeclarations *self, const char *queue)
{
  g_hash_table_remove (self->found, queue);
}
