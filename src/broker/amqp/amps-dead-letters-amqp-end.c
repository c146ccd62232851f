/* SPDX-License-Identifier: MIT */
#include "amps-dead-letters-amqp-private.h"

#include "amps-amqp-consumer.h"

/* How a request ends: what is on its way gets there, the consumer stops, so that nothing
 * which is given back comes again, all else is given back, and the connections are closed. */

/* For each step. */
#define STEP_TIMEOUT AMPS_SECONDS (5)

/* A quorum queue has what was given back some milliseconds after the connection that gave it
 * is closed. */
#define LOOK_INTERVAL AMPS_MILLISECONDS (50)

/* What is taken by the clock if it does not come by itself. */
enum {
  STEP_SETTLING,
  STEP_RETURNING,
  STEP_CLOSING,
  STEP_BREAKING,
};

void
amps_dead_letters_amqp_settle (AmpsDeadLettersAmqp *self, guint64 tag, AmpsSettlementKind kind)
{
  if (!self->reader.open)
    return;

  self->n_held--;
  amps_amqp_io_thread_send (self->reader.io_thread, amps_amqp_consumer_new_settle (tag, kind));
}

static void
begin_step (AmpsDeadLettersAmqp *self, unsigned int step)
{
  self->step = step;
  self->close_by = amps_clock_get_monotonic_time (self->clock) + STEP_TIMEOUT;
}

static void
dead_letters_amqp_end_return_all (AmpsDeadLettersAmqp *self)
{
  begin_step (self, STEP_RETURNING);
  amps_amqp_parcels_clear (self->parcels);
  if (self->reader.open)
    amps_amqp_io_thread_send (self->reader.io_thread, amps_amqp_consumer_new_return_all ());
  amps_amqp_reconnector_stop (&self->reader);
}

static void
close_publisher (AmpsDeadLettersAmqp *self)
{
  begin_step (self, STEP_CLOSING);
  amps_timer_set_due (self->look, -1);
  amps_amqp_reconnector_stop (&self->publisher);
}

/* What is given back is to be there for whoever looks next.
 * @n_messages: in the queue; less than 0 when there is none */
void
amps_dead_letters_amqp_find_returned (AmpsDeadLettersAmqp *self, gint64 n_messages)
{
  if (self->step != STEP_RETURNING)
    return;

  if (n_messages < 0 || (guint64) n_messages >= self->n_held)
    close_publisher (self);
  else
    amps_timer_set_due (self->look, amps_clock_get_monotonic_time (self->clock) + LOOK_INTERVAL);
}

/* To be called when something that is waited for has happened. */
void
amps_dead_letters_amqp_go_on_closing (AmpsDeadLettersAmqp *self)
{
  if (!self->closing)
    return;

  if (self->step == STEP_SETTLING && self->consumer == CONSUMER_NONE &&
      amps_amqp_parcels_are_confirmed (self->parcels))
    dead_letters_amqp_end_return_all (self);

  if (self->step == STEP_RETURNING && self->reader.io_thread == NULL)
    {
      if (self->publisher.open && self->n_held > 0)
        amps_timer_set_due (self->look, amps_clock_get_monotonic_time (self->clock));
      else
        close_publisher (self);
    }

  if (self->reader.io_thread == NULL && self->publisher.io_thread == NULL)
    {
      amps_timer_set_due (self->watchdog, -1);
      amps_dead_letters_end (AMPS_DEAD_LETTERS (self), g_steal_pointer (&self->problem));
    }
}

void
amps_dead_letters_amqp_stop_consuming (AmpsDeadLettersAmqp *self)
{
  if (self->consumer == CONSUMER_ACTIVE)
    amps_amqp_io_thread_send (self->reader.io_thread, amps_amqp_consumer_new_consume (FALSE, 1));
  if (self->consumer != CONSUMER_NONE)
    self->consumer = CONSUMER_ENDING;
}

/* @problem: (transfer full) (nullable): the first one counts */
void
amps_dead_letters_amqp_close (AmpsDeadLettersAmqp *self, GError *problem)
{
  g_autoptr (GError) owned = problem;

  if (self->problem == NULL)
    self->problem = g_steal_pointer (&owned);
  if (self->closing)
    return;

  self->closing = TRUE;
  begin_step (self, STEP_SETTLING);
  amps_dead_letters_amqp_stop_consuming (self);
  amps_dead_letters_amqp_go_on_closing (self);
}

void
amps_dead_letters_amqp_fail (AmpsDeadLettersAmqp *self, AmpsError code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  amps_dead_letters_amqp_close (self,
                                g_error_new_valist (AMPS_ERROR, (int) code, format, arguments));
  va_end (arguments);
}

/* Not even breaking them helped: one hangs in the lookup of a name. Its thread is left alone,
 * with all that it may touch. */
static void
abandon (AmpsDeadLettersAmqp *self)
{
  self->abandoned = TRUE;
  g_object_ref (self);
  self->reader.io_thread = NULL;
  self->publisher.io_thread = NULL;
  amps_dead_letters_amqp_go_on_closing (self);
}

/* Called at each turn of the watchdog while it ends. */
void
amps_dead_letters_amqp_hurry (AmpsDeadLettersAmqp *self)
{
  if (amps_clock_get_monotonic_time (self->clock) < self->close_by)
    return;

  switch (self->step)
    {
    case STEP_SETTLING:
      dead_letters_amqp_end_return_all (self);
      break;
    case STEP_RETURNING:
      close_publisher (self);
      break;
    case STEP_CLOSING:
      begin_step (self, STEP_BREAKING);
      amps_amqp_reconnector_watch (&self->reader, TRUE);
      amps_amqp_reconnector_watch (&self->publisher, TRUE);
      break;
    default:
      abandon (self);
    }
}
