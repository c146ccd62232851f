/* SPDX-License-Identifier: MIT */
#include "amps-dead-letters-amqp-private.h"

#include "amps-amqp-consumer.h"
#include "amps-amqp-copying.h"
#include "amps-amqp-dead-letter.h"
#include "amps-amqp-publisher.h"
#include "base/amps-log.h"

#include <string.h>

/* Of copies: about so many are there twice when it is killed. With more, 10,000 letters of a
 * quorum queue are not redriven noticeably faster. */
#define MAX_UNCONFIRMED 50

/* What is only looked at is all held at once. What is to go is not: all that is held when
 * the connection dies counts as returned. */
#define LIST_PREFETCH G_MAXUINT16
#define MOVE_PREFETCH 500

#define WATCH_INTERVAL AMPS_SECONDS (1)

/* Looks at an empty queue, until it is sure that others have taken what is missing. */
#define MAX_EMPTY_LOOKS 3

G_DEFINE_FINAL_TYPE (AmpsDeadLettersAmqp, amps_dead_letters_amqp, AMPS_TYPE_DEAD_LETTERS)

static const AmpsDeadLettersRequest *
get_request (AmpsDeadLettersAmqp *self)
{
  return amps_dead_letters_get_request (AMPS_DEAD_LETTERS (self));
}

static gint64
get_now (AmpsDeadLettersAmqp *self)
{
  return amps_clock_get_monotonic_time (self->clock);
}

static guint64
count_left (AmpsDeadLettersAmqp *self)
{
  const AmpsDeadLettersCounts *counts = amps_dead_letters_get_counts (AMPS_DEAD_LETTERS (self));

  return counts->n_there - counts->n_seen;
}

static gboolean
dead_letters_amqp_has_enough (AmpsDeadLettersAmqp *self)
{
  guint64 limit = get_request (self)->filter->limit;

  return count_left (self) == 0 || (limit > 0 && self->n_selected >= limit);
}

/* Nothing more is to come; what is on its way gets there. */
static void
finish_if_done (AmpsDeadLettersAmqp *self)
{
  if (self->closing || !dead_letters_amqp_has_enough (self))
    return;

  amps_dead_letters_amqp_stop_consuming (self);
  if (amps_amqp_parcels_is_empty (self->parcels))
    amps_dead_letters_amqp_close (self, NULL);
}

/* Moving */

static const char *
get_destination (AmpsDeadLettersAmqp *self, const AmpsDeadLetter *letter)
{
  if (letter == NULL)
    return self->settings->dead_letter_queue;

  return letter->queue != NULL ? letter->queue : amps_config_get_subject (self->config);
}

static void
dead_letters_amqp_send_waiting (AmpsDeadLettersAmqp *self)
{
  const AmpsAmqpParcel *parcel;

  while (!self->closing && (parcel = amps_amqp_parcels_send_next (self->parcels)) != NULL)
    amps_amqp_io_thread_send (self->publisher.io_thread,
                              amps_amqp_publisher_new_redrive (
                                  parcel->delivery->tag, get_destination (self, parcel->letter),
                                  parcel->delivery, parcel->letter != NULL));
}

static void
dead_letters_amqp_move (AmpsDeadLettersAmqp *self, AmpsDelivery *delivery, AmpsDeadLetter *letter)
{
  amps_amqp_parcels_add (self->parcels, delivery, letter);
  dead_letters_amqp_send_waiting (self);
}

static void
dead_letters_amqp_keep (AmpsDeadLettersAmqp *self)
{
  amps_amqp_kept_add (&self->kept);
  if (self->consumer != CONSUMER_ACTIVE || !amps_amqp_kept_is_in_the_way (&self->kept))
    return;

  self->consumer = CONSUMER_REPLACED;
  amps_amqp_io_thread_send (self->reader.io_thread, amps_amqp_consumer_new_consume (FALSE, 1));
}

static gboolean
is_of_one_letter (const GError *problem)
{
  return g_error_matches (problem, AMPS_ERROR, AMPS_ERROR_UNROUTABLE) ||
         g_error_matches (problem, AMPS_ERROR, AMPS_ERROR_TOO_LARGE);
}

static void
handle_failed (AmpsDeadLettersAmqp *self, const AmpsAmqpParcel *parcel, const GError *problem)
{
  dead_letters_amqp_keep (self);
  if (parcel->letter == NULL)
    amps_log (WARNING, DEAD_LETTER_KEPT,
              "A dead letter was handed out %u times, and could not be replaced by a copy: %s",
              parcel->delivery->returns, problem->message);
  else
    amps_dead_letters_tell (AMPS_DEAD_LETTERS (self), parcel->letter, problem);

  /* What is wrong with one that is wrong with all. */
  if (!is_of_one_letter (problem))
    amps_dead_letters_amqp_close (self, g_error_copy (problem));
}

static void
handle_confirmed (AmpsDeadLettersAmqp *self, guint64 tag, const GError *problem)
{
  g_autoptr (AmpsAmqpParcel) parcel = amps_amqp_parcels_confirm (self->parcels, tag);

  if (parcel == NULL)
    return;

  if (problem != NULL)
    handle_failed (self, parcel, problem);
  else
    amps_dead_letters_amqp_settle (self, tag, AMPS_SETTLE_ACKNOWLEDGE);
  if (problem == NULL && parcel->letter != NULL)
    amps_dead_letters_tell (AMPS_DEAD_LETTERS (self), parcel->letter, NULL);

  dead_letters_amqp_send_waiting (self);
  finish_if_done (self);
  amps_dead_letters_amqp_go_on_closing (self);
}

/* Reading */

/* A quorum queue may drop what was returned too often: a copy begins anew. */
static void
keep_or_replace (AmpsDeadLettersAmqp *self, AmpsDelivery *delivery)
{
  if (delivery->returns >= AMPS_AMQP_MAX_REQUEUES && !delivery->incomplete)
    dead_letters_amqp_move (self, delivery, NULL);
  else
    dead_letters_amqp_keep (self);
}

static void
dead_letters_amqp_redrive (AmpsDeadLettersAmqp *self, AmpsDelivery *delivery,
                           AmpsDeadLetter *letter)
{
  g_autoptr (AmpsDeadLetter) owned = letter;
  g_autoptr (GError) problem = NULL;

  if (amps_amqp_copying_is_possible (delivery, NULL, &problem))
    {
      dead_letters_amqp_move (self, delivery, g_steal_pointer (&owned));
      return;
    }

  dead_letters_amqp_keep (self);
  amps_dead_letters_tell (AMPS_DEAD_LETTERS (self), owned, problem);
}

static void
deal_with (AmpsDeadLettersAmqp *self, AmpsDelivery *delivery, AmpsDeadLetter *letter)
{
  g_autoptr (AmpsDeadLetter) owned = letter;
  const AmpsDeadLettersRequest *request = get_request (self);

  switch (request->action)
    {
    case AMPS_DEAD_LETTERS_REDRIVE:
      dead_letters_amqp_redrive (self, delivery, g_steal_pointer (&owned));
      break;
    case AMPS_DEAD_LETTERS_PURGE:
      amps_dead_letters_amqp_settle (self, delivery->tag, AMPS_SETTLE_ACKNOWLEDGE);
      amps_dead_letters_tell (AMPS_DEAD_LETTERS (self), owned, NULL);
      break;
    case AMPS_DEAD_LETTERS_LIST:
    default:
      if (request->with_bodies)
        owned->body = g_bytes_ref (delivery->body);
      keep_or_replace (self, delivery);
      amps_dead_letters_tell (AMPS_DEAD_LETTERS (self), owned, NULL);
    }
}

static void
dead_letters_amqp_handle_delivery (AmpsDeadLettersAmqp *self, AmpsDelivery *delivery,
                                   const AmpsCloudEvent *event)
{
  g_autoptr (AmpsDeadLetter) letter = NULL;

  self->n_empty = 0;
  self->n_held++;
  /* It has come since, or after it was told to stop. */
  if (self->closing || dead_letters_amqp_has_enough (self))
    {
      dead_letters_amqp_keep (self);
      return;
    }

  amps_dead_letters_see (AMPS_DEAD_LETTERS (self), 1);
  letter = amps_amqp_dead_letter_read (delivery, event);
  if (amps_dead_letter_filter_takes (get_request (self)->filter, letter))
    {
      self->n_selected++;
      deal_with (self, delivery, g_steal_pointer (&letter));
    }
  else
    {
      keep_or_replace (self, delivery);
    }

  finish_if_done (self);
}

static guint64
count_wanted (AmpsDeadLettersAmqp *self)
{
  const AmpsDeadLetterFilter *filter = get_request (self)->filter;
  guint64 left = count_left (self);

  if (filter->limit > 0 && amps_dead_letter_filter_takes_all (filter))
    return MIN (left, filter->limit - self->n_selected);
  return left;
}

static void
dead_letters_amqp_consume (AmpsDeadLettersAmqp *self)
{
  unsigned int prefetch = amps_amqp_kept_begin_consumer (&self->kept, count_wanted (self));

  self->consumer = CONSUMER_ACTIVE;
  amps_amqp_io_thread_send (self->reader.io_thread,
                            amps_amqp_consumer_new_consume (TRUE, prefetch));
}

static void
dead_letters_amqp_handle_cancelled (AmpsDeadLettersAmqp *self)
{
  if (self->consumer == CONSUMER_REPLACED)
    {
      dead_letters_amqp_consume (self);
      return;
    }

  self->consumer = CONSUMER_NONE;
  amps_dead_letters_amqp_go_on_closing (self);
}

static void
dead_letters_amqp_handle_no_queue (AmpsDeadLettersAmqp *self, const char *detail)
{
  gboolean refused = strstr (detail, "ACCESS_REFUSED") != NULL;

  self->consumer = CONSUMER_NONE;
  amps_dead_letters_amqp_fail (self, AMPS_ERROR_NOT_PERMITTED, "%s%s", detail,
                               refused ? "; let the user of BROKER_HOST read it" : "");
}

/* Counting */

static void
dead_letters_amqp_look (AmpsDeadLettersAmqp *self)
{
  if (!self->publisher.open)
    return;

  self->looking = TRUE;
  amps_amqp_io_thread_send (self->publisher.io_thread,
                            amps_amqp_publisher_new_count (self->settings->dead_letter_queue));
}

static void
dead_letters_amqp_begin (AmpsDeadLettersAmqp *self, gint64 n_messages)
{
  if (n_messages < 0)
    {
      amps_dead_letters_amqp_fail (
          self, AMPS_ERROR_NOT_FOUND,
          "there is no queue “%s”: AMPS makes it when it first gives up a job. If it has given up "
          "some, compare BROKER_HOST, BROKER_SUBJECT and DEAD_LETTER_QUEUE with those of AMPS",
          self->settings->dead_letter_queue);
      return;
    }

  self->begun = TRUE;
  amps_dead_letters_begin (AMPS_DEAD_LETTERS (self), (guint64) n_messages);
  if (n_messages > 0)
    dead_letters_amqp_consume (self);
  finish_if_done (self);
}

static void
dead_letters_amqp_handle_counted (AmpsDeadLettersAmqp *self, gint64 n_messages)
{
  self->looking = FALSE;
  if (self->closing)
    amps_dead_letters_amqp_find_returned (self, n_messages);
  else if (!self->begun)
    dead_letters_amqp_begin (self, n_messages);
  else if (n_messages > 0)
    self->n_empty = 0;
  else if (++self->n_empty >= MAX_EMPTY_LOOKS)
    amps_dead_letters_amqp_close (self, NULL);
}

/* Connections */

static void
dead_letters_amqp_handle_opened (AmpsDeadLettersAmqp *self, AmpsAmqpReconnector *reconnector)
{
  amps_amqp_reconnector_open (reconnector);
  if (!self->closing && self->reader.open && self->publisher.open)
    dead_letters_amqp_look (self);
}

static gboolean
tries_next (AmpsDeadLettersAmqp *self, const AmpsAmqpReconnector *reconnector, gboolean was_open)
{
  unsigned int n_uris = g_strv_length ((char **) amps_config_get_broker_uris (self->config));

  return !self->closing && !was_open && reconnector->uri_index < n_uris;
}

static void
dead_letters_amqp_handle_closed (AmpsDeadLettersAmqp *self, AmpsAmqpReconnector *reconnector,
                                 const char *detail)
{
  gboolean was_open = reconnector->open;

  amps_amqp_reconnector_close (reconnector, detail);
  if (tries_next (self, reconnector, was_open))
    {
      amps_amqp_reconnector_connect (reconnector);
      return;
    }

  if (reconnector == &self->reader)
    self->consumer = CONSUMER_NONE;
  else
    /* What it has not told of stays a dead letter, and may be there twice. */
    amps_amqp_parcels_clear (self->parcels);

  if (!self->closing)
    amps_dead_letters_amqp_fail (self, AMPS_ERROR_UNAVAILABLE, "%s",
                                 detail != NULL ? detail : "the connection ended");
  amps_dead_letters_amqp_go_on_closing (self);
}

static void
dead_letters_amqp_on_event (AmpsMail *mail, gpointer user_data)
{
  AmpsDeadLettersAmqp *self = user_data;
  AmpsAmqpEvent *event = (AmpsAmqpEvent *) mail;
  AmpsAmqpReconnector *reconnector =
      event->role == self->reader.role ? &self->reader : &self->publisher;

  if (self->abandoned)
    {
      amps_amqp_event_free (event);
      return;
    }

  self->last_event = get_now (self);
  switch (event->kind)
    {
    case AMPS_AMQP_EVENT_OPENED:
      dead_letters_amqp_handle_opened (self, reconnector);
      break;
    case AMPS_AMQP_EVENT_NO_QUEUE:
      dead_letters_amqp_handle_no_queue (self, event->detail);
      break;
    case AMPS_AMQP_EVENT_DELIVERY:
      dead_letters_amqp_handle_delivery (self, event->delivery, event->event);
      break;
    case AMPS_AMQP_EVENT_CONFIRMED:
      handle_confirmed (self, event->id, event->error);
      break;
    case AMPS_AMQP_EVENT_COUNTED:
      dead_letters_amqp_handle_counted (self, event->n_messages);
      break;
    case AMPS_AMQP_EVENT_CANCELLED:
      dead_letters_amqp_handle_cancelled (self);
      break;
    case AMPS_AMQP_EVENT_BLOCKED:
      self->blocked = event->blocked;
      break;
    case AMPS_AMQP_EVENT_LENT:
      amps_amqp_io_thread_take (reconnector->io_thread);
      break;
    case AMPS_AMQP_EVENT_CLOSED:
      dead_letters_amqp_handle_closed (self, reconnector, event->detail);
      break;
    case AMPS_AMQP_EVENT_CONSUMING:
    case AMPS_AMQP_EVENT_QUEUE:
    case AMPS_AMQP_EVENT_SURPLUS:
    case AMPS_AMQP_EVENT_FULL:
    default:
      break;
    }

  amps_amqp_event_free (event);
}

/* Time limits */

static void
dead_letters_amqp_watch (AmpsDeadLettersAmqp *self)
{
  gint64 silence = get_now (self) - self->last_event;

  if (silence >= get_request (self)->max_silence)
    amps_dead_letters_amqp_fail (
        self, AMPS_ERROR_UNAVAILABLE, "the broker did nothing for %.0f s%s",
        (double) silence / G_USEC_PER_SEC,
        self->blocked ? ": it takes no messages, as in a memory or disk alarm" : "");
  else if (self->consumer == CONSUMER_ACTIVE && silence >= WATCH_INTERVAL && !self->looking)
    dead_letters_amqp_look (self);
}

static gboolean
dead_letters_amqp_on_watchdog (gpointer user_data)
{
  AmpsDeadLettersAmqp *self = user_data;

  amps_timer_set_due (self->watchdog, get_now (self) + WATCH_INTERVAL);
  if (self->closing)
    amps_dead_letters_amqp_hurry (self);
  else
    dead_letters_amqp_watch (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_look (gpointer user_data)
{
  dead_letters_amqp_look (user_data);
  return G_SOURCE_CONTINUE;
}

/* What it is asked */

static void
dead_letters_amqp_run (AmpsDeadLetters *letters)
{
  AmpsDeadLettersAmqp *self = AMPS_DEAD_LETTERS_AMQP (letters);
  gboolean lists = get_request (self)->action == AMPS_DEAD_LETTERS_LIST;

  self->kept = (AmpsAmqpKept){ .max_prefetch = lists ? LIST_PREFETCH : MOVE_PREFETCH };
  self->consumer = CONSUMER_NONE;
  self->n_selected = self->n_held = 0;
  self->begun = self->looking = self->blocked = self->closing = FALSE;
  self->n_empty = 0;
  self->last_event = get_now (self);
  self->reader.uri_index = self->publisher.uri_index = 0;

  amps_amqp_reconnector_connect (&self->reader);
  amps_amqp_reconnector_connect (&self->publisher);
  amps_timer_set_due (self->watchdog, self->last_event + WATCH_INTERVAL);
}

static void
dead_letters_amqp_cancel (AmpsDeadLetters *letters)
{
  amps_dead_letters_amqp_close (
      AMPS_DEAD_LETTERS_AMQP (letters),
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "it was interrupted"));
}

/* Life */

static void
dead_letters_amqp_init_reconnectors (AmpsDeadLettersAmqp *self)
{
  const AmpsAmqpShared shared = { self->config, self->clock, self->settings, self->events };

  /* Tries are made at once, and no more than there are brokers. */
  amps_amqp_reconnector_init (&self->reader, &amps_amqp_consumer_role, &shared, NULL, NULL);
  amps_amqp_reconnector_init (&self->publisher, &amps_amqp_publisher_role, &shared, NULL, NULL);
}

static void
amps_dead_letters_amqp_finalize (GObject *object)
{
  AmpsDeadLettersAmqp *self = AMPS_DEAD_LETTERS_AMQP (object);

  g_warn_if_fail (self->reader.io_thread == NULL && self->publisher.io_thread == NULL);
  amps_amqp_reconnector_clear (&self->reader);
  amps_amqp_reconnector_clear (&self->publisher);
  amps_timer_free (self->watchdog);
  amps_timer_free (self->look);
  amps_mailbox_free (self->events);
  amps_amqp_settings_free (self->settings);
  amps_amqp_parcels_free (self->parcels);
  g_clear_error (&self->problem);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_dead_letters_amqp_parent_class)->finalize (object);
}

static void
amps_dead_letters_amqp_class_init (AmpsDeadLettersAmqpClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_dead_letters_amqp_finalize;
  AMPS_DEAD_LETTERS_CLASS (klass)->run = dead_letters_amqp_run;
  AMPS_DEAD_LETTERS_CLASS (klass)->cancel = dead_letters_amqp_cancel;
}

static void
amps_dead_letters_amqp_init (AmpsDeadLettersAmqp *self)
{
  self->parcels = amps_amqp_parcels_new (MAX_UNCONFIRMED);
}

/**
 * amps_dead_letters_amqp_new:
 * @config: the settings, in which dead letters have a queue
 * @clock: what time is measured by
 * @error: return location; never set
 *
 * Returns: (transfer full): the dead letters, with no connection yet
 */
AmpsDeadLetters *
amps_dead_letters_amqp_new (AmpsConfig *config, AmpsClock *clock, GError **error G_GNUC_UNUSED)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsDeadLettersAmqp *self = g_object_new (AMPS_TYPE_DEAD_LETTERS_AMQP, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->settings = amps_amqp_settings_new_for_dead_letters (config);
  self->events = amps_mailbox_new ("dead letters", NULL, dead_letters_amqp_on_event,
                                   amps_amqp_event_free, self);
  dead_letters_amqp_init_reconnectors (self);
  self->watchdog =
      amps_clock_attach_timer (clock, "dead letters", dead_letters_amqp_on_watchdog, self);
  self->look = amps_clock_attach_timer (clock, "look at dead letters", on_look, self);
  return AMPS_DEAD_LETTERS (self);
}
