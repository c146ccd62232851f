/* SPDX-License-Identifier: MIT */
#include "core/amps-error.h"
#include "dispatcher-fixture.h"
#include "log-recorder.h"

#include <sys/resource.h>
#include <unistd.h>

typedef DispatcherFixture Fixture;

/* As when there are too many connections already. */
static void
test_no_file_descriptor (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  int lowest_free = dup (STDERR_FILENO);
  struct rlimit limit, reached;

  close (lowest_free);
  getrlimit (RLIMIT_NOFILE, &limit);
  reached = (struct rlimit){ (rlim_t) lowest_free, limit.rlim_max };
  setrlimit (RLIMIT_NOFILE, &reached);
  deliver (f, make_job ("a", "a", 0));
  assert_told (f, "stop consuming\n");
  setrlimit (RLIMIT_NOFILE, &limit);

  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  iterate_until_posted (f, 1);
  g_assert_cmpuint (amps_job_get_attempt (amps_manifest_lookup (f->manifest, "a")), ==, 1);
  assert_told (f, "consume\n");
}

int
main (int argc, char **argv)
{
  const struct {
    const char *path;
    void (*test) (Fixture *f, gconstpointer settings);
    const char *settings;
  } tests[] = {
    { "/decider/no-file-descriptor", test_no_file_descriptor, "MAX_ATTEMPTS=1" },
  };

  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();
  for (unsigned int i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, tests[i].settings, dispatcher_set_up, tests[i].test,
                dispatcher_tear_down);
  return g_test_run ();
}
