/* SPDX-License-Identifier: MIT */
#include "jobs/amps-dead-letter-filter.h"

static AmpsDeadLetter *
make_letter (const char *id, const char *type, const char *reason, gint64 time)
{
  AmpsDeadLetter *letter = amps_dead_letter_new ();

  letter->id = g_strdup (id);
  letter->type = g_strdup (type);
  letter->reason = g_strdup (reason);
  letter->time = time;
  return letter;
}

static void
test_takes_all (void)
{
  g_autoptr (AmpsDeadLetterFilter) filter = amps_dead_letter_filter_new ();
  g_autoptr (AmpsDeadLetter) unknown = make_letter (NULL, NULL, NULL, 0);

  g_assert_true (amps_dead_letter_filter_takes_all (filter));
  g_assert_true (amps_dead_letter_filter_takes (filter, unknown));

  /* A limit says how many, not which. */
  filter->limit = 1;
  filter->ids = g_new0 (char *, 1);
  g_assert_true (amps_dead_letter_filter_takes_all (filter));
  g_assert_true (amps_dead_letter_filter_takes (filter, unknown));
}

/* Of these only the first letter is meant. */
static void
test_takes (void)
{
  const AmpsDeadLetterFilter filters[] = {
    { .ids = (char *[]){ (char *) "x", (char *) "a", NULL } },
    { .reason = (char *) "rejected" },
    { .type = (char *) "mail" },
    { .before = 1000 },
    { .type = (char *) "mail", .reason = (char *) "rejected" },
  };
  g_autoptr (AmpsDeadLetter) meant = make_letter ("a", "mail", "rejected", 1000);
  g_autoptr (AmpsDeadLetter) other = make_letter ("A", "mails", "status", 1001);
  g_autoptr (AmpsDeadLetter) unknown = make_letter (NULL, NULL, NULL, 0);

  for (unsigned int i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_autoptr (AmpsDeadLetterFilter) copy = amps_dead_letter_filter_copy (&filters[i]);

      g_assert_false (amps_dead_letter_filter_takes_all (copy));
      g_assert_true (amps_dead_letter_filter_takes (copy, meant));
      g_assert_false (amps_dead_letter_filter_takes (copy, other));
      g_assert_false (amps_dead_letter_filter_takes (copy, unknown));
    }
}

static void
test_takes_only_what_is_all_so (void)
{
  const AmpsDeadLetterFilter filter = { .type = (char *) "mail", .reason = (char *) "rejected" };
  g_autoptr (AmpsDeadLetter) half = make_letter ("a", "mail", "status", 1000);

  g_assert_false (amps_dead_letter_filter_takes (&filter, half));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dead-letter-filter/takes-all", test_takes_all);
  g_test_add_func ("/dead-letter-filter/takes", test_takes);
  g_test_add_func ("/dead-letter-filter/all-so", test_takes_only_what_is_all_so);
  return g_test_run ();
}
