/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "dispatcher-fixture.h"
#include "log-recorder.h"

/* What the log says of messages that are not events: which they are, and where they
 * have gone. */

typedef DispatcherFixture Fixture;

static char *
reject (Fixture *f, const char *message_id, gboolean incomplete)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("{}", 2));

  delivery->message_id = g_strdup (message_id);
  delivery->incomplete = incomplete;
  deliver (f, amps_job_new_malformed (
                  delivery, g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "why")));
  g_free (fake_broker_take_log (f->broker));
  return log_recorder_take ();
}

static void
test_message_id (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *log = reject (f, "order-17", FALSE);
  g_autofree char *evil = reject (f, "a\n\x1b[1m\xff\"", FALSE);

  g_assert_cmpstr (log, ==,
                   "The message with the message-id “order-17” is not a CloudEvent and goes to the "
                   "dead-letter queue “dead”: why\n");
  g_assert_nonnull (strstr (evil, "“a\\n\\033[1m\\377\\\"”"));
}

static void
test_place (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *first = NULL;
  g_autofree char *third = NULL;

  run (f, "good");
  first = reject (f, NULL, FALSE);
  third = reject (f, "", FALSE);
  g_assert_cmpstr (first, ==,
                   "The message number 2 since the start, without a message-id, is not a "
                   "CloudEvent and goes to the dead-letter queue “dead”: why\n");
  g_assert_nonnull (strstr (third, "number 3 since"));
}

/* Over what AMPS keeps. */
static void
test_not_kept (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *log = reject (f, "huge", TRUE);

  g_assert_nonnull (strstr (log, "“huge”"));
  g_assert_nonnull (strstr (log, "is left to the dead-letter policy of its queue: why"));
}

int
main (int argc, char **argv)
{
  static const DispatcherTest tests[] = {
    { "/malformed/message-id", test_message_id, NULL },
    { "/malformed/place", test_place, NULL },
    { "/malformed/not-kept", test_not_kept, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
