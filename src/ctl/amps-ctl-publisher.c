/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-publisher.h"

#include "amps-ctl-error.h"

#include <glib/gi18n.h>

/* At most this many wait at once. */
#define WINDOW 32

/* ms: what AMPS says in Retry-After. */
#define RETRY_DELAY 1000

/* Nobody reads more. */
#define MAX_FAILURES 100

struct _AmpsCtlPublisher {
  GObject parent_instance;

  AmpsCtlContext *context; /* (owned) */
  AmpsCtlApi *api;         /* (owned) */
  gboolean keep_going;
  gboolean has_stopped; /* nothing more is to be published */

  GPtrArray *pending; /* (owned) of Pending */
  guint64 n_published;
  guint64 n_failed;
  GPtrArray *failures; /* (owned) of char*, NULL-terminated */
  GError *error;       /* (owned) (nullable) the first one */
};

G_DEFINE_FINAL_TYPE (AmpsCtlPublisher, amps_ctl_publisher, G_TYPE_OBJECT)

/* An event that is not confirmed yet. */
typedef struct {
  AmpsCtlPublisher *publisher;
  GBytes *event;             /* (owned) */
  char *place;               /* (owned) where it stands in the input */
  GCancellable *cancellable; /* (owned) */
  unsigned int timeout;      /* source */
  unsigned int retry;        /* source */
  gint64 end;                /* monotonic µs */
  gboolean is_late;
} Pending;

static void
ctl_publisher_pending_free (gpointer data)
{
  Pending *pending = data;

  g_clear_handle_id (&pending->timeout, g_source_remove);
  g_clear_handle_id (&pending->retry, g_source_remove);
  g_bytes_unref (pending->event);
  g_object_unref (pending->cancellable);
  g_free (pending->place);
  g_free (pending);
}

static void
amps_ctl_publisher_finalize (GObject *object)
{
  AmpsCtlPublisher *self = AMPS_CTL_PUBLISHER (object);

  g_ptr_array_unref (self->pending);
  g_ptr_array_unref (self->failures);
  g_clear_error (&self->error);
  g_object_unref (self->api);
  g_object_unref (self->context);

  G_OBJECT_CLASS (amps_ctl_publisher_parent_class)->finalize (object);
}

static void
amps_ctl_publisher_class_init (AmpsCtlPublisherClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_ctl_publisher_finalize;
}

static void
amps_ctl_publisher_init (AmpsCtlPublisher *self)
{
  self->pending = g_ptr_array_new_with_free_func (ctl_publisher_pending_free);
  self->failures = g_ptr_array_new_with_free_func (g_free);
}

/**
 * amps_ctl_publisher_new:
 * @context: what limits the time of each event, and may be cancelled
 * @api: a way to AMPS
 * @keep_going: whether an event that is refused is no reason to stop
 *
 * Returns: (transfer full): a publisher
 */
AmpsCtlPublisher *
amps_ctl_publisher_new (AmpsCtlContext *context, AmpsCtlApi *api, gboolean keep_going)
{
  g_return_val_if_fail (AMPS_CTL_IS_CONTEXT (context), NULL);
  g_return_val_if_fail (AMPS_CTL_IS_API (api), NULL);

  AmpsCtlPublisher *self = g_object_new (AMPS_CTL_TYPE_PUBLISHER, NULL);

  self->context = g_object_ref (context);
  self->api = g_object_ref (api);
  self->keep_going = keep_going;
  return self;
}

/* Whether the next event would fare better. */
static gboolean
is_about_the_event (const GError *error)
{
  int status = amps_ctl_error_get_exit_status (error);

  return status == AMPS_CTL_ERROR_BAD_DATA || status == AMPS_CTL_ERROR_FAILED;
}

static void
ctl_publisher_note_failure (AmpsCtlPublisher *self, Pending *pending, GError *error)
{
  self->n_failed++;
  if (!self->keep_going || !is_about_the_event (error))
    self->has_stopped = TRUE;
  if (self->failures->len < MAX_FAILURES)
    g_ptr_array_add (self->failures,
                     g_strdup_printf ("%s%s%s", pending->place, *pending->place != '\0' ? ": " : "",
                                      error->message));
  if (self->error == NULL)
    self->error = g_error_copy (error);
}

static void send_event (Pending *pending);

static gboolean
ctl_publisher_on_retry (gpointer user_data)
{
  Pending *pending = user_data;

  pending->retry = 0;
  send_event (pending);
  return G_SOURCE_REMOVE;
}

static gboolean
ctl_publisher_is_worth_repeating (Pending *pending, const GError *error)
{
  return amps_ctl_error_get_exit_status (error) == AMPS_CTL_ERROR_TRY_AGAIN &&
         !pending->publisher->has_stopped &&
         g_get_monotonic_time () + RETRY_DELAY * 1000 < pending->end;
}

static void
ctl_publisher_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Pending *pending = user_data;
  AmpsCtlPublisher *self = pending->publisher;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) answer = amps_ctl_api_call_finish (AMPS_CTL_API (source), result, &error);

  if (answer == NULL && ctl_publisher_is_worth_repeating (pending, error))
    {
      pending->retry = g_timeout_add (RETRY_DELAY, ctl_publisher_on_retry, pending);
      return;
    }

  if (pending->is_late)
    {
      g_clear_error (&error);
      g_set_error (&error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_UNREACHABLE,
                   _ ("%s does not answer in time; the event may or may not be published"),
                   amps_ctl_api_get_place (self->api));
    }

  if (answer != NULL)
    self->n_published++;
  else
    ctl_publisher_note_failure (self, pending, error);
  g_ptr_array_remove_fast (self->pending, pending);
}

static void
send_event (Pending *pending)
{
  const AmpsCtlCall call = { AMPS_CTL_CALL_PUBLISH, .event = pending->event };

  amps_ctl_api_call_async (pending->publisher->api, &call, pending->cancellable,
                           ctl_publisher_on_answer, pending);
}

static gboolean
ctl_publisher_on_timeout (gpointer user_data)
{
  Pending *pending = user_data;

  pending->timeout = 0;
  pending->is_late = TRUE;
  g_cancellable_cancel (pending->cancellable);
  return G_SOURCE_REMOVE;
}

static gboolean
ctl_publisher_has_room (gpointer user_data)
{
  AmpsCtlPublisher *self = user_data;

  return self->has_stopped || self->pending->len < WINDOW;
}

/**
 * amps_ctl_publisher_publish:
 * @self: a publisher
 * @event: bytes that should be an event
 * @place: (transfer full): where it stands in the input, for people
 *
 * Lets the main loop run until it is this event's turn, not until it is confirmed.
 *
 * Returns: whether there is any sense in publishing another one
 */
gboolean
amps_ctl_publisher_publish (AmpsCtlPublisher *self, GBytes *event, char *place)
{
  gint64 timeout = amps_ctl_context_get_timeout (self->context);
  Pending *pending;

  if (!amps_ctl_context_wait (self->context, ctl_publisher_has_room, self, -1, NULL) ||
      self->has_stopped)
    {
      g_free (place);
      return FALSE;
    }

  pending = g_new0 (Pending, 1);
  pending->publisher = self;
  pending->event = g_bytes_ref (event);
  pending->place = place;
  pending->cancellable = g_cancellable_new ();
  pending->end = g_get_monotonic_time () + timeout;
  pending->timeout = g_timeout_add ((unsigned int) MIN (timeout / 1000 + 1, G_MAXINT),
                                    ctl_publisher_on_timeout, pending);
  g_ptr_array_add (self->pending, pending);
  send_event (pending);
  return TRUE;
}

static gboolean
is_empty (gpointer user_data)
{
  return ((AmpsCtlPublisher *) user_data)->pending->len == 0;
}

/**
 * amps_ctl_publisher_finish:
 * @self: a publisher
 *
 * Lets the main loop run until all events are confirmed or have failed.
 */
void
amps_ctl_publisher_finish (AmpsCtlPublisher *self)
{
  if (amps_ctl_context_wait (self->context, is_empty, self, -1, NULL))
    return;

  self->has_stopped = TRUE;
  for (unsigned int i = self->pending->len; i > 0; i--)
    {
      Pending *pending = self->pending->pdata[i - 1];

      g_cancellable_cancel (pending->cancellable);
      if (pending->retry != 0)
        g_ptr_array_remove_index_fast (self->pending, i - 1);
    }
  while (self->pending->len > 0)
    g_main_context_iteration (NULL, TRUE);
}

/**
 * amps_ctl_publisher_get_n_published:
 * @self: a publisher
 *
 * Returns: how many events are confirmed
 */
guint64
amps_ctl_publisher_get_n_published (AmpsCtlPublisher *self)
{
  return self->n_published;
}

/**
 * amps_ctl_publisher_get_n_ended:
 * @self: a publisher
 *
 * Returns: how many are confirmed or have failed
 */
guint64
amps_ctl_publisher_get_n_ended (AmpsCtlPublisher *self)
{
  return self->n_published + self->n_failed;
}

/**
 * amps_ctl_publisher_get_n_failed:
 * @self: a publisher
 *
 * Returns: how many have failed
 */
guint64
amps_ctl_publisher_get_n_failed (AmpsCtlPublisher *self)
{
  return self->n_failed;
}

/**
 * amps_ctl_publisher_get_failures:
 * @self: a publisher
 *
 * Returns: (transfer none) (array zero-terminated=1): where which failed, and why; the first
 *   ones
 */
const char *const *
amps_ctl_publisher_get_failures (AmpsCtlPublisher *self)
{
  if (self->failures->len == 0 || self->failures->pdata[self->failures->len - 1] != NULL)
    g_ptr_array_add (self->failures, NULL);
  return (const char *const *) self->failures->pdata;
}

/**
 * amps_ctl_publisher_get_error:
 * @self: a publisher
 *
 * Returns: (transfer none) (nullable): why the first one failed
 */
const GError *
amps_ctl_publisher_get_error (AmpsCtlPublisher *self)
{
  return self->error;
}
