/* SPDX-License-Identifier: MIT */
#include "amps-attempts.h"

#include "base/amps-backoff.h"
#include "base/amps-clock.h"

/* A workload that asks for more than this gets it only if RETRY_MAX_BACKOFF is as long. */
#define MAX_RETRY_AFTER AMPS_SECONDS (3600)

/**
 * amps_attempts_are_used_up:
 * @config: the settings
 * @job: a job whose present attempt has failed
 *
 * Returns: whether that was the last one
 */
gboolean
amps_attempts_are_used_up (AmpsConfig *config, AmpsJob *job)
{
  unsigned int max_attempts = amps_config_get_max_attempts (config);

  return max_attempts > 0 && amps_job_get_attempt (job) >= max_attempts;
}

/**
 * amps_attempts_draw_delay:
 * @config: the settings
 * @job: a job whose present attempt has failed
 * @retry_after: µs that the workload asks for; -1 for none
 *
 * Returns: µs until the next one
 */
gint64
amps_attempts_draw_delay (AmpsConfig *config, AmpsJob *job, gint64 retry_after)
{
  gint64 max_backoff = amps_config_get_retry_max_backoff (config);
  gint64 delay = amps_backoff_draw (amps_config_get_retry_min_backoff (config), max_backoff,
                                    amps_job_get_attempt (job));

  return MAX (delay, MIN (retry_after, MAX (max_backoff, MAX_RETRY_AFTER)));
}
