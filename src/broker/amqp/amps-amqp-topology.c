/* SPDX-License-Identifier: MIT */
#include "amps-amqp-topology.h"

#include "amps-amqp-table.h"

#include <string.h>

#define NOT_FOUND 404

#define SECOND G_GINT64_CONSTANT (1000000)

/* Messages expire only at the head of a queue, so there is one for each delay. */
static const struct {
  gint64 delay; /* µs */
  const char *name;
} ladder[] = {
  { 1 * SECOND, "1s" },   { 2 * SECOND, "2s" },    { 5 * SECOND, "5s" },
  { 10 * SECOND, "10s" }, { 30 * SECOND, "30s" },  { 60 * SECOND, "1m" },
  { 300 * SECOND, "5m" }, { 900 * SECOND, "15m" }, { 3600 * SECOND, "1h" },
};

static amqp_table_entry_t
make_number (const char *key, gint64 number)
{
  amqp_table_entry_t entry = { .key = amqp_cstring_bytes (key) };

  entry.value.kind = AMQP_FIELD_KIND_I64;
  entry.value.value.i64 = number;
  return entry;
}

/* What goes wrong is a @problem as long as the connection lives on. */
static gboolean
declare (AmpsAmqpConnection *connection, amqp_channel_t channel, const char *queue,
         gboolean passive, amqp_table_t arguments, int *code, char **problem)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (connection);

  amqp_queue_declare (state, channel, amqp_cstring_bytes (queue), passive, TRUE, FALSE, FALSE,
                      arguments);
  if (amps_amqp_connection_check_reply (connection, "declare a queue", code, problem))
    return TRUE;

  if (*code != 0 && !amps_amqp_connection_reopen_channel (connection, channel))
    g_clear_pointer (problem, g_free);
  return FALSE;
}

/* Only 4.0 and newer have a limit to be lifted, and only on quorum queues. */
static gboolean
has_delivery_limit (AmpsAmqpConnection *connection)
{
  return amps_amqp_connection_is_version (connection, 4, 0);
}

/* One that is there is left as it is, whatever its type: a declaration with other
 * arguments than it has would be refused. */
static gboolean
ensure_dead_letters (AmpsAmqpConnection *connection, amqp_channel_t channel, const char *queue,
                     int *code, char **problem)
{
  amqp_table_entry_t arguments[] = {
    amps_amqp_table_make_text ("x-queue-type", "quorum"),
    make_number ("x-delivery-limit", -1),
  };
  amqp_table_t table = { has_delivery_limit (connection) ? 2 : 1, arguments };

  if (declare (connection, channel, queue, TRUE, amqp_empty_table, code, problem))
    return TRUE;
  if (*code == 0 || *problem == NULL)
    return FALSE;

  /* Whatever else is said of it, it is there. */
  g_clear_pointer (problem, g_free);
  return *code != NOT_FOUND || declare (connection, channel, queue, FALSE, table, code, problem);
}

static gboolean
declare_subject (AmpsAmqpConnection *connection, int *code, char **problem)
{
  const AmpsAmqpSettings *settings = amps_amqp_connection_get_settings (connection);
  g_autofree char *dead = g_strconcat (settings->subject, ".dead", NULL);
  amqp_table_entry_t arguments[] = {
    amps_amqp_table_make_text ("x-queue-type", settings->quorum ? "quorum" : "classic"),
    amps_amqp_table_make_text ("x-dead-letter-exchange", ""),
    amps_amqp_table_make_text ("x-dead-letter-routing-key", dead),
    make_number ("x-delivery-limit", -1),
  };
  gboolean unlimited = settings->quorum && has_delivery_limit (connection);
  amqp_table_t table = { unlimited ? 4 : 3, arguments };

  return ensure_dead_letters (connection, AMPS_AMQP_CHANNEL, dead, code, problem) &&
         declare (connection, AMPS_AMQP_CHANNEL, settings->subject, FALSE, table, code, problem);
}

/**
 * amps_amqp_topology_ensure_subject:
 * @connection: one that consumes
 * @problem: (out) (transfer full) (nullable): what is wrong and what to do about
 *   it; %NULL when the connection has ended
 *
 * In the I/O thread. Looks for the subject, and declares it if that is wanted
 * and it is missing.
 *
 * Returns: whether it is there
 */
gboolean
amps_amqp_topology_ensure_subject (AmpsAmqpConnection *connection, char **problem)
{
  const AmpsAmqpSettings *settings = amps_amqp_connection_get_settings (connection);
  g_autofree char *why = NULL;
  int code;

  *problem = NULL;
  if (declare (connection, AMPS_AMQP_CHANNEL, settings->subject, TRUE, amqp_empty_table, &code,
               &why))
    return TRUE;
  if (code == 0 || why == NULL)
    return FALSE;

  if (code == NOT_FOUND && settings->declares)
    {
      g_clear_pointer (&why, g_free);
      if (declare_subject (connection, &code, &why))
        return TRUE;
      if (why != NULL)
        *problem =
            g_strdup_printf ("the queue “%s” could not be declared: %s", settings->subject, why);
    }
  else if (code == NOT_FOUND)
    {
      *problem = g_strdup_printf ("the queue “%s” does not exist; declare it, or set "
                                  "QUEUE_DECLARE=auto",
                                  settings->subject);
    }
  else
    {
      *problem = g_strdup_printf ("the queue “%s” can't be used: %s", settings->subject, why);
    }

  return FALSE;
}

/**
 * amps_amqp_topology_describe_refusal:
 * @subject: the queue to consume
 * @why: what the broker said as it refused a consumer
 *
 * Returns: (transfer full): that for people, and what to do about it if that is known
 */
char *
amps_amqp_topology_describe_refusal (const char *subject, const char *why)
{
  /* In the text of every version since 3.9, see rabbit_queue_type.erl. */
  if (g_str_has_suffix (why, "rabbit_stream_queue"))
    return g_strdup_printf ("the queue “%s” is a stream, which can't be the subject: a stream "
                            "never takes a message back. Use a quorum or classic queue",
                            subject);

  return g_strdup_printf ("the queue “%s” can't be consumed: %s", subject, why);
}

static unsigned int
get_rung (gint64 delay)
{
  unsigned int i = 0;

  while (i + 1 < G_N_ELEMENTS (ladder) && ladder[i + 1].delay <= delay)
    i++;
  return i;
}

/**
 * amps_amqp_topology_get_retry_step:
 * @delay: µs a message shall wait
 *
 * Returns: µs it waits in the retry queue that it goes to
 */
gint64
amps_amqp_topology_get_retry_step (gint64 delay)
{
  return ladder[get_rung (delay)].delay;
}

/**
 * amps_amqp_topology_get_retry_queue:
 * @subject: the queue that messages come back to
 * @delay: µs they shall wait
 * @step: (out): µs they wait in that queue: the longest step that is no longer
 *   than @delay, so that none comes late
 *
 * Returns: (transfer full): the queue's name
 */
char *
amps_amqp_topology_get_retry_queue (const char *subject, gint64 delay, gint64 *step)
{
  unsigned int rung = get_rung (delay);

  *step = ladder[rung].delay;
  return g_strdup_printf ("%s.retry.%s", subject, ladder[rung].name);
}

/**
 * amps_amqp_topology_ensure_retry_queue:
 * @connection: one that publishes, whose channel for declaring is open
 * @queue: its name
 * @delay: µs after which messages go back to the subject
 * @problem: (out) (transfer full) (nullable): why it could not be declared; %NULL
 *   when the connection has ended
 *
 * In the I/O thread. Whatever the type of the subject, this is a quorum queue
 * that dead-letters at least once: any other would lose the message if the
 * broker died between the queues.
 *
 * Returns: whether it is there
 */
gboolean
amps_amqp_topology_ensure_retry_queue (AmpsAmqpConnection *connection, const char *queue,
                                       gint64 delay, char **problem)
{
  const AmpsAmqpSettings *settings = amps_amqp_connection_get_settings (connection);
  amqp_table_entry_t arguments[] = {
    amps_amqp_table_make_text ("x-queue-type", "quorum"),
    amps_amqp_table_make_text ("x-dead-letter-exchange", ""),
    amps_amqp_table_make_text ("x-dead-letter-routing-key", settings->subject),
    amps_amqp_table_make_text ("x-dead-letter-strategy", "at-least-once"),
    amps_amqp_table_make_text ("x-overflow", "reject-publish"),
    make_number ("x-message-ttl", delay / 1000),
  };
  amqp_table_t table = { G_N_ELEMENTS (arguments), arguments };
  int code;

  *problem = NULL;
  if (strlen (queue) > AMPS_AMQP_MAX_QUEUE_NAME)
    {
      *problem = g_strdup ("its name is too long");
      return FALSE;
    }

  return declare (connection, AMPS_AMQP_DECLARING_CHANNEL, queue, FALSE, table, &code, problem);
}

/**
 * amps_amqp_topology_ensure_dead_letter_queue:
 * @connection: one that publishes, whose channel for declaring is open
 * @queue: its name
 * @problem: (out) (transfer full) (nullable): why it could not be declared; %NULL
 *   when the connection has ended
 *
 * In the I/O thread. Looks for the queue and, if it is missing, declares a quorum
 * queue without limits.
 *
 * Returns: whether it is there
 */
gboolean
amps_amqp_topology_ensure_dead_letter_queue (AmpsAmqpConnection *connection, const char *queue,
                                             char **problem)
{
  int code;

  *problem = NULL;
  return ensure_dead_letters (connection, AMPS_AMQP_DECLARING_CHANNEL, queue, &code, problem);
}

/**
 * amps_amqp_topology_list_retry_queues:
 * @subject: the queue that messages come back to
 *
 * Returns: (transfer full): the names of all retry queues that there may be
 */
char **
amps_amqp_topology_list_retry_queues (const char *subject)
{
  char **queues = g_new0 (char *, G_N_ELEMENTS (ladder) + 1);

  for (unsigned int i = 0; i < G_N_ELEMENTS (ladder); i++)
    queues[i] = g_strdup_printf ("%s.retry.%s", subject, ladder[i].name);
  return queues;
}

/**
 * amps_amqp_topology_count_messages:
 * @connection: one that publishes, whose channel for declaring is open
 * @queue: its name
 * @n_messages: (out): how many messages are ready in it; -1 when it does not exist, or
 *   can't be looked at
 *
 * In the I/O thread. Looks at a queue, and makes none.
 *
 * Returns: whether the connection lives on
 */
gboolean
amps_amqp_topology_count_messages (AmpsAmqpConnection *connection, const char *queue,
                                   gint64 *n_messages)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (connection);
  const amqp_queue_declare_ok_t *declared =
      amqp_queue_declare (state, AMPS_AMQP_DECLARING_CHANNEL, amqp_cstring_bytes (queue), TRUE,
                          TRUE, FALSE, FALSE, amqp_empty_table);
  g_autofree char *why = NULL;
  int code;

  if (amps_amqp_connection_check_reply (connection, "look at a queue", &code, &why))
    {
      *n_messages = declared->message_count;
      return TRUE;
    }

  *n_messages = -1;
  return code != 0 && amps_amqp_connection_reopen_channel (connection, AMPS_AMQP_DECLARING_CHANNEL);
}
