/* SPDX-License-Identifier: MIT */
#include "amps-amqp-confirms.h"

#include "base/amps-error.h"

#include <string.h>

/* Reply codes of AMQP 0-9-1. */
#define ACCESS_REFUSED 403
#define NOT_FOUND 404

/* While one that is refused is looked for. Not more, as nothing is read meanwhile. */
#define MAX_BATCH 64

/* Permissions are an exchange's, and all go to the same one: when so many in a row
 * were refused for want of one, so are the rest. */
#define DENIED_ENOUGH 3

struct _AmpsAmqpConfirms {
  GQueue waiting; /* (owned) of AmpsAmqpPublication, to be sent */
  GQueue sent;    /* (owned) of AmpsAmqpPublication, by tag */
  guint64 last_tag;
  unsigned int batch; /* so many are sent at once, and confirmed, before others; 0 for all */
  unsigned int left;  /* of the batch, to be sent */
  unsigned int n_denied;
  AmpsAmqpAnswerFunc answer;
  gpointer user_data;
};

static void
amqp_confirms_publication_free (gpointer data)
{
  AmpsAmqpPublication *publication = data;

  publication->command.free (publication);
}

/**
 * amps_amqp_confirms_new:
 * @answer: (scope forever): called with what becomes of a publication
 * @user_data: passed to @answer
 *
 * Returns: (transfer full): nothing yet
 */
AmpsAmqpConfirms *
amps_amqp_confirms_new (AmpsAmqpAnswerFunc answer, gpointer user_data)
{
  AmpsAmqpConfirms *self = g_new0 (AmpsAmqpConfirms, 1);

  self->answer = answer;
  self->user_data = user_data;
  return self;
}

/**
 * amps_amqp_confirms_free:
 * @self: (transfer full): what is left is not answered
 */
void
amps_amqp_confirms_free (AmpsAmqpConfirms *self)
{
  g_queue_clear_full (&self->waiting, amqp_confirms_publication_free);
  g_queue_clear_full (&self->sent, amqp_confirms_publication_free);
  g_free (self);
}

/**
 * amps_amqp_confirms_add:
 * @self: what is not confirmed
 * @publication: (transfer full): another one, to be sent
 */
void
amps_amqp_confirms_add (AmpsAmqpConfirms *self, AmpsAmqpPublication *publication)
{
  g_queue_push_tail (&self->waiting, publication);
}

/**
 * amps_amqp_confirms_send_next:
 * @self: what is not confirmed
 *
 * To be called until there is none, whenever something has happened here.
 *
 * Returns: (transfer none) (nullable): what is to be sent now
 */
AmpsAmqpPublication *
amps_amqp_confirms_send_next (AmpsAmqpConfirms *self)
{
  AmpsAmqpPublication *publication = g_queue_peek_head (&self->waiting);

  if (publication == NULL || (self->batch > 0 && self->left == 0))
    return NULL;

  if (self->batch > 0)
    self->left--;
  publication->tag = ++self->last_tag;
  publication->returned = FALSE;
  g_queue_push_tail_link (&self->sent, g_queue_pop_head_link (&self->waiting));
  return publication;
}

/**
 * amps_amqp_confirms_return:
 * @self: what is not confirmed
 * @queue: where something that came back was to go
 * @message_id: (nullable): likewise
 *
 * A return says neither tag nor id of ours, but comes before the confirm and in the
 * order of publishing.
 *
 * Returns: whether it is one of these
 */
gboolean
amps_amqp_confirms_return (AmpsAmqpConfirms *self, const char *queue, const char *message_id)
{
  for (GList *l = self->sent.head; l != NULL; l = l->next)
    {
      AmpsAmqpPublication *publication = l->data;

      if (!publication->returned && g_str_equal (publication->queue, queue) &&
          g_strcmp0 (publication->message_id, message_id) == 0)
        {
          publication->returned = TRUE;
          return TRUE;
        }
    }

  return FALSE;
}

static void
amqp_confirms_move (GQueue *from, GList *link, GQueue *to)
{
  g_queue_unlink (from, link);
  g_queue_push_tail_link (to, link);
}

/* Whoever is told may come back with more at once, so all is in order before.
 * @publication: (transfer full): is in no queue any more */
static void
end (AmpsAmqpConfirms *self, AmpsAmqpPublication *publication, GError *problem)
{
  self->answer (publication->id, problem, self->user_data);
  amqp_confirms_publication_free (publication);
}

/* Confirms */

static GError *
get_problem (const AmpsAmqpPublication *publication, gboolean confirmed)
{
  if (publication->returned)
    return g_error_new (AMPS_ERROR, AMPS_ERROR_UNROUTABLE,
                        "there is no queue “%s”; declare it first", publication->queue);
  if (!confirmed)
    return g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                                "the broker could not take the message");

  return NULL;
}

static void
begin_next_batch (AmpsAmqpConfirms *self)
{
  if (self->batch == 0 || !g_queue_is_empty (&self->sent))
    return;

  self->batch = g_queue_is_empty (&self->waiting) ? 0 : MIN (2 * self->batch, MAX_BATCH);
  self->left = self->batch;
}

/* Takes out of those that were sent what a confirm means. */
static void
take_confirmed (AmpsAmqpConfirms *self, guint64 tag, gboolean multiple, GQueue *taken)
{
  GList *next;

  for (GList *l = self->sent.head; l != NULL; l = next)
    {
      const AmpsAmqpPublication *publication = l->data;

      next = l->next;
      if (publication->tag > tag)
        break;
      if (multiple || publication->tag == tag)
        amqp_confirms_move (&self->sent, l, taken);
    }
}

/**
 * amps_amqp_confirms_confirm:
 * @self: what is not confirmed
 * @tag: what the broker has answered
 * @multiple: whether it means all up to @tag, or all there are if that is 0
 * @confirmed: whether it has them
 *
 * Returns: whether there is something that it means; if not, the broker breaks the
 *   protocol
 */
gboolean
amps_amqp_confirms_confirm (AmpsAmqpConfirms *self, guint64 tag, gboolean multiple,
                            gboolean confirmed)
{
  g_auto (GQueue) taken = G_QUEUE_INIT;
  AmpsAmqpPublication *publication;

  if (tag > self->last_tag)
    return FALSE;

  take_confirmed (self, multiple && tag == 0 ? self->last_tag : tag, multiple, &taken);
  if (g_queue_is_empty (&taken))
    return FALSE;

  self->n_denied = 0;
  begin_next_batch (self);
  while ((publication = g_queue_pop_head (&taken)) != NULL)
    end (self, publication, get_problem (publication, confirmed));
  return TRUE;
}

/* Refusals */

/* Returns: how long the message was that the broker found too long; 0 if it was not that */
static guint64
amqp_confirms_parse_size (const char *text)
{
  static const char words[] = "message size ";
  const char *found = strstr (text, words);

  return found != NULL ? g_ascii_strtoull (found + strlen (words), NULL, 10) : 0;
}

static GError *
amqp_confirms_make_refusal (int code, const char *text)
{
  if (amqp_confirms_parse_size (text) > 0)
    return g_error_new (AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
                        "the broker refuses it: %s; raise max_message_size there", text);
  if (code == NOT_FOUND)
    return g_error_new (AMPS_ERROR, AMPS_ERROR_UNROUTABLE, "the broker refuses it: %s", text);
  if (code == ACCESS_REFUSED)
    return g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED,
                        "the broker refuses it: %s; let the user of BROKER_HOST write to the "
                        "exchange “amq.default”",
                        text);

  return g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED, "the broker refuses it: %s", text);
}

/* Takes out of those that were sent what the broker finds too large. */
static void
take_large (AmpsAmqpConfirms *self, guint64 size, GQueue *taken)
{
  GList *next;

  for (GList *l = self->sent.head; size > 0 && l != NULL; l = next)
    {
      const AmpsAmqpPublication *publication = l->data;

      next = l->next;
      if (g_bytes_get_size (publication->body) >= size)
        amqp_confirms_move (&self->sent, l, taken);
    }
}

/* Takes the only one that was sent, and those that would fare no better. */
static void
take_alone (AmpsAmqpConfirms *self, int code, GQueue *taken)
{
  if (self->sent.length != 1)
    return;

  self->n_denied = code == ACCESS_REFUSED ? self->n_denied + 1 : 0;
  amqp_confirms_move (&self->sent, self->sent.head, taken);
  while (self->n_denied >= DENIED_ENOUGH && !g_queue_is_empty (&self->waiting))
    amqp_confirms_move (&self->waiting, self->waiting.head, taken);
}

/**
 * amps_amqp_confirms_close:
 * @self: what is not confirmed
 * @code: the broker's reason to close the channel
 * @text: the same in words
 *
 * The broker refuses one of those that were sent, but does not say which; what was sent
 * after it, it has not even looked at. If the words tell, that one fails. Otherwise all
 * are sent again on the next channel, one at first and then twice as many each time: so
 * the one that is meant is soon alone.
 */
void
amps_amqp_confirms_close (AmpsAmqpConfirms *self, int code, const char *text)
{
  g_auto (GQueue) refused = G_QUEUE_INIT;
  AmpsAmqpPublication *publication;
  gboolean known;
  GList *link;

  take_large (self, amqp_confirms_parse_size (text), &refused);
  known = !g_queue_is_empty (&refused);
  if (!known)
    take_alone (self, code, &refused);

  while ((link = g_queue_pop_tail_link (&self->sent)) != NULL)
    g_queue_push_head_link (&self->waiting, link);
  self->last_tag = 0;
  self->batch = self->left = known || g_queue_is_empty (&self->waiting) ? 0 : 1;

  while ((publication = g_queue_pop_head (&refused)) != NULL)
    end (self, publication, amqp_confirms_make_refusal (code, text));
}
