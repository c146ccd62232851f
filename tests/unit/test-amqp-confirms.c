/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-confirms.h"

#include "base/amps-error.h"

#define N_IDS 200
#define CONFIRMED (-1)
#define OPEN (-2)

static const char precondition[] = "PRECONDITION_FAILED - something";

/* A channel, with a broker that has its own view of each publication. */
typedef struct _Fixture Fixture;

struct _Fixture {
  AmpsAmqpConfirms *unconfirmed;
  int results[N_IDS];        /* error code, CONFIRMED or OPEN */
  unsigned int n_sent;       /* in all */
  unsigned int n_alive;      /* publications that were not freed */
  guint64 on_channel[N_IDS]; /* ids, by tag - 1 */
  unsigned int n_on_channel;
  unsigned int n_closed;
  void (*on_answered) (Fixture *f); /* (nullable) */
};

typedef struct {
  AmpsAmqpPublication publication;
  Fixture *fixture;
} Owned;

static void
owned_free (gpointer data)
{
  Owned *owned = data;

  owned->fixture->n_alive--;
  g_free (owned->publication.queue);
  g_bytes_unref (owned->publication.body);
  g_free (owned);
}

static void
on_answer (guint64 id, GError *problem, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_cmpint (f->results[id], ==, OPEN);
  f->results[id] = problem != NULL ? problem->code : CONFIRMED;
  if (problem != NULL)
    g_assert_true (problem->domain == AMPS_ERROR);
  g_clear_error (&problem);
  if (f->on_answered != NULL)
    f->on_answered (f);
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->unconfirmed = amps_amqp_confirms_new (on_answer, f);
  for (unsigned int i = 0; i < N_IDS; i++)
    f->results[i] = OPEN;
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_confirms_free (f->unconfirmed);
  g_assert_cmpuint (f->n_alive, ==, 0);
}

static void
add (Fixture *f, guint64 id, gsize size)
{
  Owned *owned = g_new0 (Owned, 1);

  owned->fixture = f;
  owned->publication.command.free = owned_free;
  owned->publication.id = id;
  owned->publication.queue = g_strdup ("q");
  owned->publication.body = g_bytes_new_take (g_malloc0 (size), size);
  f->n_alive++;
  amps_amqp_confirms_add (f->unconfirmed, &owned->publication);
}

static void
send_all (Fixture *f)
{
  const AmpsAmqpPublication *next;

  while ((next = amps_amqp_confirms_send_next (f->unconfirmed)) != NULL)
    {
      f->on_channel[f->n_on_channel++] = next->id;
      g_assert_cmpuint (next->tag, ==, f->n_on_channel);
      f->n_sent++;
    }
}

static void
close_channel (Fixture *f, int code, const char *text)
{
  f->n_on_channel = 0;
  f->n_closed++;
  amps_amqp_confirms_close (f->unconfirmed, code, text);
  send_all (f);
}

/* As RabbitMQ does: what comes before a bad one may be confirmed, or not any more. */
static void
serve (Fixture *f, const gboolean *bad, gboolean confirms_first, int code, const char *text)
{
  unsigned int n_done = 0;

  while (n_done < f->n_on_channel)
    {
      unsigned int found = n_done;

      while (found < f->n_on_channel && !bad[f->on_channel[found]])
        found++;
      if ((confirms_first || found == f->n_on_channel) && found > n_done)
        g_assert_true (amps_amqp_confirms_confirm (f->unconfirmed, found, TRUE, TRUE));
      n_done = found;
      if (found < f->n_on_channel)
        {
          close_channel (f, code, text);
          n_done = 0;
        }
      else
        {
          send_all (f);
        }
    }
}

static void
test_confirms (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (guint64 id = 0; id < 5; id++)
    add (f, id, 1);
  send_all (f);
  g_assert_cmpuint (f->n_sent, ==, 5);

  g_assert_true (amps_amqp_confirms_return (f->unconfirmed, "q", NULL));
  g_assert_false (amps_amqp_confirms_return (f->unconfirmed, "other", NULL));
  g_assert_true (amps_amqp_confirms_confirm (f->unconfirmed, 4, FALSE, FALSE));
  g_assert_true (amps_amqp_confirms_confirm (f->unconfirmed, 3, TRUE, TRUE));
  g_assert_cmpint (f->results[0], ==, AMPS_ERROR_UNROUTABLE);
  g_assert_cmpint (f->results[1], ==, CONFIRMED);
  g_assert_cmpint (f->results[2], ==, CONFIRMED);
  g_assert_cmpint (f->results[3], ==, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpint (f->results[4], ==, OPEN);
}

/* A broker that confirms what it can't breaks the protocol, and nothing is taken for safe. */
static void
test_confirms_of_nothing (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    guint64 tag;
    gboolean multiple;
    gboolean means_something;
  } confirms[] = {
    { 0, FALSE, FALSE }, { 0, TRUE, FALSE }, { 1, FALSE, FALSE }, { G_MAXUINT64, TRUE, FALSE },
    { 4, FALSE, FALSE }, { 4, TRUE, FALSE }, { 2, FALSE, TRUE },  { 2, FALSE, FALSE },
    { 2, TRUE, TRUE },   { 2, TRUE, FALSE }, { 1, FALSE, FALSE }, { G_MAXUINT64, TRUE, FALSE },
    { 0, FALSE, FALSE }, { 0, TRUE, TRUE },  { 0, TRUE, FALSE },  { 3, FALSE, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (confirms); i++)
    {
      /* The first ones come before anything is published. */
      if (i == 4)
        {
          for (guint64 id = 0; id < 3; id++)
            add (f, id, 1);
          send_all (f);
        }
      g_assert_cmpint (
          amps_amqp_confirms_confirm (f->unconfirmed, confirms[i].tag, confirms[i].multiple, TRUE),
          ==, confirms[i].means_something);
    }
  for (guint64 id = 0; id < 3; id++)
    g_assert_cmpint (f->results[id], ==, CONFIRMED);
}

static void
publish_another (Fixture *f)
{
  guint64 id = f->n_sent;

  if (id < N_IDS)
    add (f, id, 1);
  send_all (f);
  if (f->n_on_channel > 0)
    amps_amqp_confirms_confirm (f->unconfirmed, f->n_on_channel, FALSE, TRUE);
}

/* Whoever is told comes back with another, which is confirmed before the next is told. */
static void
test_callers_that_come_back (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (guint64 id = 0; id < 4; id++)
    add (f, id, 1);
  send_all (f);
  f->on_answered = publish_another;
  g_assert_true (amps_amqp_confirms_confirm (f->unconfirmed, 4, TRUE, TRUE));
  for (guint64 id = 0; id < N_IDS; id++)
    g_assert_cmpint (f->results[id], ==, CONFIRMED);
}

/* The one that was under way alone is meant, and gets the reason. */
static void
test_reasons (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    int code;
    const char *text;
    AmpsError error;
  } reasons[] = {
    { 403, "ACCESS_REFUSED - access to exchange refused", AMPS_ERROR_NOT_PERMITTED },
    { 404, "NOT_FOUND - no exchange", AMPS_ERROR_UNROUTABLE },
    { 406, "PRECONDITION_FAILED - message size 300 is larger than max size 200",
      AMPS_ERROR_TOO_LARGE },
    { 406, "PRECONDITION_FAILED - message size 9 is larger than configured max size 8",
      AMPS_ERROR_TOO_LARGE },
    { 406, precondition, AMPS_ERROR_NOT_PERMITTED },
    { 999, "", AMPS_ERROR_NOT_PERMITTED },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      add (f, i, 1);
      send_all (f);
      close_channel (f, reasons[i].code, reasons[i].text);
      g_assert_cmpint (f->results[i], ==, reasons[i].error);
    }
  g_assert_cmpuint (f->n_sent, ==, G_N_ELEMENTS (reasons));
}

/* Its size says which one it is: nothing has to be tried. */
static void
test_too_large (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gsize sizes[] = { 10, 301, 300, 200, 299 };

  for (guint64 id = 0; id < G_N_ELEMENTS (sizes); id++)
    add (f, id, sizes[id]);
  send_all (f);
  close_channel (f, 406, "PRECONDITION_FAILED - message size 301 is larger than max size 299");
  g_assert_cmpint (f->results[1], ==, AMPS_ERROR_TOO_LARGE);
  g_assert_cmpuint (f->n_sent, ==, 5 + 4);

  close_channel (f, 406, "PRECONDITION_FAILED - message size 300 is larger than max size 299");
  g_assert_cmpint (f->results[2], ==, AMPS_ERROR_TOO_LARGE);
  g_assert_cmpuint (f->n_sent, ==, 5 + 4 + 3);
  amps_amqp_confirms_confirm (f->unconfirmed, 3, TRUE, TRUE);
  g_assert_cmpint (f->results[0], ==, CONFIRMED);
  g_assert_cmpint (f->results[3], ==, CONFIRMED);
  g_assert_cmpint (f->results[4], ==, CONFIRMED);
}

/* Those that are bad fail, and only those, in a bounded number of channels. */
static void
test_bad_ones_among_others (Fixture *f, gconstpointer confirms_first)
{
  gboolean bad[N_IDS] = { FALSE };
  unsigned int n_bad = 0;

  for (guint64 id = 0; id < N_IDS; id++)
    {
      bad[id] = g_test_rand_int_range (0, 20) == 0;
      n_bad += bad[id];
      add (f, id, 1);
    }
  send_all (f);
  serve (f, bad, confirms_first != NULL, 406, precondition);

  for (guint64 id = 0; id < N_IDS; id++)
    g_assert_cmpint (f->results[id], ==, bad[id] ? AMPS_ERROR_NOT_PERMITTED : CONFIRMED);
  g_assert_cmpuint (f->n_closed, <=, 8 * n_bad + 1);
  g_assert_cmpuint (f->n_alive, ==, 0);

  /* After all that it is as before. */
  for (guint64 id = 0; id < 3; id++)
    {
      f->results[id] = OPEN;
      add (f, id, 1);
    }
  f->n_sent = 0;
  send_all (f);
  g_assert_cmpuint (f->n_sent, ==, 3);
}

/* What comes while one is looked for does not make it harder to find. */
static void
test_added_meanwhile (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  add (f, 0, 1);
  add (f, 1, 1);
  send_all (f);
  close_channel (f, 406, precondition);
  add (f, 2, 1);
  send_all (f);
  g_assert_cmpuint (f->n_on_channel, ==, 1);
  close_channel (f, 406, precondition);
  g_assert_cmpint (f->results[0], ==, AMPS_ERROR_NOT_PERMITTED);
  g_assert_cmpint (f->results[1], ==, OPEN);
  g_assert_cmpint (f->results[2], ==, OPEN);
}

/* Who may not publish at all is told so soon, however much there is. */
static void
test_no_permission (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  gboolean bad[N_IDS];

  for (guint64 id = 0; id < N_IDS; id++)
    {
      bad[id] = TRUE;
      add (f, id, 1);
    }
  send_all (f);
  serve (f, bad, FALSE, 403, "ACCESS_REFUSED");
  for (guint64 id = 0; id < N_IDS; id++)
    g_assert_cmpint (f->results[id], ==, AMPS_ERROR_NOT_PERMITTED);
  g_assert_cmpuint (f->n_closed, <=, 4);
}

/* A channel that is closed for no publication takes none along. */
static void
test_nothing_sent (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  close_channel (f, 406, precondition);
  add (f, 0, 1);
  add (f, 1, 1);
  send_all (f);
  g_assert_cmpuint (f->n_on_channel, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, data, test)                                                                      \
  g_test_add ("/amqp-confirms/" name, Fixture, data, set_up, test, tear_down)
  ADD ("confirms", NULL, test_confirms);
  ADD ("confirms-of-nothing", NULL, test_confirms_of_nothing);
  ADD ("callers-that-come-back", NULL, test_callers_that_come_back);
  ADD ("reasons", NULL, test_reasons);
  ADD ("too-large", NULL, test_too_large);
  ADD ("bad-ones-among-others/confirmed-first", "", test_bad_ones_among_others);
  ADD ("bad-ones-among-others/confirms-lost", NULL, test_bad_ones_among_others);
  ADD ("added-meanwhile", NULL, test_added_meanwhile);
  ADD ("no-permission", NULL, test_no_permission);
  ADD ("nothing-sent", NULL, test_nothing_sent);
  return g_test_run ();
}
