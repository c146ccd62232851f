/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-outbox.h"
#include "core/amps-error.h"
#include "fake-clock.h"

typedef struct {
  AmpsClock *clock;
  AmpsAmqpOutbox *outbox;
  AmpsDelivery *original;
  GString *copies; /* what was said of copies */
  GString *told;   /* what waiting callers were told */
  gboolean unexpected;
} Fixture;

static void
on_copied (AmpsDelivery *original, gboolean copied, gpointer user_data)
{
  Fixture *f = user_data;

  f->unexpected = f->unexpected || original != f->original;
  g_string_append (f->copies, copied ? "copied " : "failed ");
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->outbox = amps_amqp_outbox_new (f->clock, on_copied, f);
  f->original = amps_delivery_new (g_bytes_new_static ("x", 1));
  f->copies = g_string_new (NULL);
  f->told = g_string_new (NULL);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_false (f->unexpected);
  amps_amqp_outbox_free (f->outbox);
  amps_delivery_unref (f->original);
  g_string_free (f->copies, TRUE);
  g_string_free (f->told, TRUE);
  g_assert_finalize_object (f->clock);
}

static void
on_ended (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    g_string_append (f->told, "confirmed ");
  else
    g_string_append_printf (f->told, "%s ", g_quark_to_string (error->domain));
  g_assert_true (error == NULL || error->domain == AMPS_ERROR);
}

static GTask *
new_task (Fixture *f)
{
  return g_task_new (NULL, NULL, on_ended, f);
}

static void
assert_said (Fixture *f, const char *copies, const char *told)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (f->copies->str, ==, copies);
  g_assert_cmpstr (f->told->str, ==, told);
  g_string_truncate (f->copies, 0);
  g_string_truncate (f->told, 0);
}

static void
test_confirmed_once (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 first = amps_amqp_outbox_add (f->outbox, new_task (f), NULL);
  guint64 second = amps_amqp_outbox_add (f->outbox, new_task (f), NULL);

  g_assert_cmpuint (first, !=, second);
  amps_amqp_outbox_end (f->outbox, second, NULL);
  assert_said (f, "", "confirmed ");
  amps_amqp_outbox_end (f->outbox, second, NULL);
  amps_amqp_outbox_end (f->outbox, 12345, NULL);
  assert_said (f, "", "");
  amps_amqp_outbox_end (f->outbox, first, NULL);
  assert_said (f, "", "confirmed ");
}

static void
test_refused (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNROUTABLE, "no queue");

  amps_amqp_outbox_end (f->outbox, amps_amqp_outbox_add (f->outbox, new_task (f), NULL), problem);
  assert_said (f, "", "amps-error ");
}

/* The original may be acknowledged only when its copy is safe. */
static void
test_copy (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "away");

  amps_amqp_outbox_end (f->outbox, amps_amqp_outbox_add (f->outbox, NULL, f->original), NULL);
  assert_said (f, "copied ", "");
  amps_amqp_outbox_end (f->outbox, amps_amqp_outbox_add (f->outbox, new_task (f), f->original),
                        NULL);
  assert_said (f, "copied ", "confirmed ");

  /* Of a failure one hears, and only one. */
  amps_amqp_outbox_end (f->outbox, amps_amqp_outbox_add (f->outbox, NULL, f->original), problem);
  assert_said (f, "failed ", "");
  amps_amqp_outbox_end (f->outbox, amps_amqp_outbox_add (f->outbox, new_task (f), f->original),
                        problem);
  assert_said (f, "", "amps-error ");
}

/* A broker may be silent for ever. */
static void
test_confirm_that_never_comes (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 id = amps_amqp_outbox_add (f->outbox, new_task (f), NULL);

  fake_clock_advance (f->clock, AMPS_SECONDS (10) - 1);
  assert_said (f, "", "");
  fake_clock_advance (f->clock, 1);
  assert_said (f, "", "amps-error ");

  /* Nor does one that comes too late make it undone. */
  amps_amqp_outbox_end (f->outbox, id, NULL);
  assert_said (f, "", "");
}

static void
test_connection_lost (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_outbox_add (f->outbox, new_task (f), NULL);
  amps_amqp_outbox_add (f->outbox, new_task (f), NULL);
  amps_amqp_outbox_add (f->outbox, NULL, f->original);
  amps_amqp_outbox_fail_all (f->outbox);
  assert_said (f, "failed ", "amps-error amps-error ");
  fake_clock_advance (f->clock, AMPS_SECONDS (20));
  assert_said (f, "", "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/amqp-outbox/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("confirmed-once", test_confirmed_once);
  ADD ("refused", test_refused);
  ADD ("copy", test_copy);
  ADD ("confirm-that-never-comes", test_confirm_that_never_comes);
  ADD ("connection-lost", test_connection_lost);
  return g_test_run ();
}
