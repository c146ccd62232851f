/* SPDX-License-Identifier: MIT */
#include "amps-dead-letters.h"

#include "base/amps-error.h"

/* Whatever a broker does by itself takes less. */
#define DEFAULT_MAX_SILENCE (30 * G_USEC_PER_SEC)

typedef struct {
  AmpsDeadLettersRequest request;
  AmpsDeadLetterFilter *filter; /* (owned) (nullable) of the request */
  AmpsDeadLettersCounts counts;
  GTask *task;        /* (owned) (nullable) while it runs, and until that is told */
  GError *problem;    /* (owned) (nullable) why it did not come to its end */
  GSource *cancelled; /* (owned) (nullable) */
} AmpsDeadLettersPrivate;

/**
 * AmpsDeadLetters:
 *
 * The dead letters of one subject: to be looked at, put back or removed, beside an AMPS
 * that may or may not run. A letter that is put back is with the broker twice until its
 * copy is confirmed, and never not at all.
 */
G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (AmpsDeadLetters, amps_dead_letters, G_TYPE_OBJECT)

static AmpsDeadLettersPrivate *
dead_letters_get_private (AmpsDeadLetters *self)
{
  return amps_dead_letters_get_instance_private (self);
}

static void
amps_dead_letters_finalize (GObject *object)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (AMPS_DEAD_LETTERS (object));

  g_warn_if_fail (priv->task == NULL);
  g_clear_pointer (&priv->filter, amps_dead_letter_filter_free);

  G_OBJECT_CLASS (amps_dead_letters_parent_class)->finalize (object);
}

static void
amps_dead_letters_class_init (AmpsDeadLettersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_dead_letters_finalize;
}

static void
amps_dead_letters_init (AmpsDeadLetters *self G_GNUC_UNUSED)
{
}

static gboolean
on_cancelled (GCancellable *cancellable G_GNUC_UNUSED, gpointer user_data)
{
  AmpsDeadLetters *self = user_data;

  AMPS_DEAD_LETTERS_GET_CLASS (self)->cancel (self);
  return G_SOURCE_REMOVE;
}

/* Not its signal, in whose handler nobody may let go of it. */
static void
dead_letters_watch (AmpsDeadLetters *self, GCancellable *cancellable)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (self);

  priv->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_callback (priv->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (priv->cancelled, NULL);
}

/**
 * amps_dead_letters_run_async:
 * @self: dead letters
 * @request: what is to be done; it is copied, with its filter
 * @cancellable: (nullable): to go no further
 * @callback: called at the end
 * @user_data: passed to @callback
 *
 * Does what @request says with the letters that are there now; others that come meanwhile
 * are left for the next time. One request at a time. In the main thread, as are all
 * callbacks.
 */
void
amps_dead_letters_run_async (AmpsDeadLetters *self, const AmpsDeadLettersRequest *request,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (self);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (AMPS_IS_DEAD_LETTERS (self));
  g_return_if_fail (request->filter != NULL);

  g_task_set_source_tag (task, amps_dead_letters_run_async);
  /* What is done is told, even if it is cancelled in the end. */
  g_task_set_check_cancellable (task, FALSE);
  if (priv->task != NULL)
    {
      g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_BUSY,
                               "the dead letters are already in use");
      return;
    }

  g_clear_pointer (&priv->filter, amps_dead_letter_filter_free);
  priv->filter = amps_dead_letter_filter_copy (request->filter);
  priv->request = *request;
  priv->request.filter = priv->filter;
  if (priv->request.max_silence <= 0)
    priv->request.max_silence = DEFAULT_MAX_SILENCE;
  priv->counts = (AmpsDeadLettersCounts){ 0 };
  priv->task = g_steal_pointer (&task);
  if (cancellable != NULL)
    dead_letters_watch (self, cancellable);
  AMPS_DEAD_LETTERS_GET_CLASS (self)->run (self);
}

/**
 * amps_dead_letters_run_finish:
 * @self: dead letters
 * @result: what the callback got
 * @error: return location: %AMPS_ERROR_NOT_FOUND if there is no such queue,
 *   %AMPS_ERROR_NOT_PERMITTED, %AMPS_ERROR_UNAVAILABLE, or %G_IO_ERROR_CANCELLED.
 *   What had been done by then stays done, see [method@Amps.DeadLetters.get_counts]
 *
 * Returns: whether it has come to the end, though some letters may have failed
 */
gboolean
amps_dead_letters_run_finish (AmpsDeadLetters *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * amps_dead_letters_get_counts:
 * @self: dead letters
 *
 * Returns: (transfer none): how far the request is, or how far the last one came
 */
const AmpsDeadLettersCounts *
amps_dead_letters_get_counts (AmpsDeadLetters *self)
{
  g_return_val_if_fail (AMPS_IS_DEAD_LETTERS (self), NULL);

  return &dead_letters_get_private (self)->counts;
}

/**
 * amps_dead_letters_get_request:
 * @self: dead letters
 *
 * Returns: (transfer none): what is to be done
 */
const AmpsDeadLettersRequest *
amps_dead_letters_get_request (AmpsDeadLetters *self)
{
  g_return_val_if_fail (AMPS_IS_DEAD_LETTERS (self), NULL);

  return &dead_letters_get_private (self)->request;
}

static void
show_progress (AmpsDeadLettersPrivate *priv)
{
  if (priv->request.on_progress != NULL)
    priv->request.on_progress (&priv->counts, priv->request.user_data);
}

/**
 * amps_dead_letters_begin:
 * @self: dead letters
 * @n_there: letters that are there, and no more of which are looked at
 */
void
amps_dead_letters_begin (AmpsDeadLetters *self, guint64 n_there)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (self);

  g_return_if_fail (AMPS_IS_DEAD_LETTERS (self));

  priv->counts.n_there = n_there;
  show_progress (priv);
}

/**
 * amps_dead_letters_see:
 * @self: dead letters
 * @n_seen: so many more were looked at
 */
void
amps_dead_letters_see (AmpsDeadLetters *self, guint64 n_seen)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (self);

  g_return_if_fail (AMPS_IS_DEAD_LETTERS (self));

  priv->counts.n_seen += n_seen;
  show_progress (priv);
}

/**
 * amps_dead_letters_tell:
 * @self: dead letters
 * @letter: one of those that are meant
 * @error: (nullable): why it stays, if it was to go
 *
 * Says that @letter is dealt with.
 */
void
amps_dead_letters_tell (AmpsDeadLetters *self, const AmpsDeadLetter *letter, const GError *error)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (self);

  g_return_if_fail (AMPS_IS_DEAD_LETTERS (self));

  if (error == NULL)
    priv->counts.n_done++;
  else
    priv->counts.n_failed++;
  if (priv->request.on_letter != NULL)
    priv->request.on_letter (letter, error, priv->request.user_data);
  show_progress (priv);
}

static gboolean
dead_letters_on_end (gpointer user_data)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (user_data);
  g_autoptr (GTask) task = g_steal_pointer (&priv->task);

  if (priv->problem != NULL)
    g_task_return_error (task, g_steal_pointer (&priv->problem));
  else
    g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

/**
 * amps_dead_letters_end:
 * @self: dead letters
 * @error: (transfer full) (nullable): why it did not come to its end
 *
 * Says that the request is done, as far as it is. Whoever has asked is told soon, and not
 * from within this: he may drop the last reference then.
 */
void
amps_dead_letters_end (AmpsDeadLetters *self, GError *error)
{
  AmpsDeadLettersPrivate *priv = dead_letters_get_private (self);

  g_return_if_fail (AMPS_IS_DEAD_LETTERS (self));

  if (priv->cancelled != NULL)
    g_source_destroy (priv->cancelled);
  g_clear_pointer (&priv->cancelled, g_source_unref);

  /* The task keeps this alive until then. */
  priv->problem = error;
  g_idle_add_full (G_PRIORITY_DEFAULT, dead_letters_on_end, self, NULL);
}
