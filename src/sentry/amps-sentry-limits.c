/* SPDX-License-Identifier: MIT */
#include "amps-sentry-limits.h"

#include "base/amps-clock.h"
#include "base/amps-http-status.h"

#include <string.h>

/* Of each event this many at once, and then one a minute: the fifth rejected job says
 * nothing that the first did not. */
#define BURST 5
#define REFILL_INTERVAL AMPS_SECONDS (60)

/* What Sentry's SDKs wait after a 429 that does not say how long. */
#define DEFAULT_PAUSE 60
#define MAX_PAUSE (24 * 60 * 60)

/* A bucket of tokens. */
typedef struct {
  unsigned int n_taken;
  gint64 refilled; /* monotonic µs: when the latest token came back */
  unsigned int n_silenced;
} Bucket;

struct _AmpsSentryLimits {
  Bucket buckets[AMPS_N_LOG_EVENTS];
  gint64 closed_until; /* monotonic µs; 0 when Sentry takes reports */
};

/**
 * amps_sentry_limits_new:
 *
 * Returns: (transfer full): limits that nothing has come near to
 */
AmpsSentryLimits *
amps_sentry_limits_new (void)
{
  return g_new0 (AmpsSentryLimits, 1);
}

/**
 * amps_sentry_limits_free:
 * @self: (transfer full): limits
 */
void
amps_sentry_limits_free (AmpsSentryLimits *self)
{
  g_free (self);
}

static void
refill (Bucket *bucket, gint64 now)
{
  gint64 n_tokens = (now - bucket->refilled) / REFILL_INTERVAL;

  bucket->refilled += n_tokens * REFILL_INTERVAL;
  bucket->n_taken -= (unsigned int) MIN (n_tokens, bucket->n_taken);
}

/**
 * amps_sentry_limits_admit:
 * @self: limits
 * @event: what is to be reported
 * @now: monotonic µs
 * @n_silenced: (out): how many of its kind were not, since the last that was
 *
 * Returns: whether it may be
 */
gboolean
amps_sentry_limits_admit (AmpsSentryLimits *self, AmpsLogEvent event, gint64 now,
                          unsigned int *n_silenced)
{
  Bucket *bucket = &self->buckets[event];

  *n_silenced = 0;
  refill (bucket, now);
  if (bucket->n_taken == BURST)
    {
      bucket->n_silenced++;
      return FALSE;
    }

  if (bucket->n_taken++ == 0)
    bucket->refilled = now;
  *n_silenced = bucket->n_silenced;
  bucket->n_silenced = 0;
  return TRUE;
}

static void
close_for (AmpsSentryLimits *self, guint64 seconds, gint64 now)
{
  self->closed_until = MAX (self->closed_until, now + AMPS_SECONDS (MIN (seconds, MAX_PAUSE)));
}

/* @categories: of data, with semicolons between; none is all of them */
static gboolean
is_about_errors (const char *categories)
{
  g_auto (GStrv) names = g_strsplit (categories, ";", -1);

  return *categories == '\0' || g_strv_contains ((const char *const *) names, "error");
}

/* @limit: SECONDS:CATEGORIES:SCOPE…, as of Sentry's "Rate Limiting" */
static void
note_limit (AmpsSentryLimits *self, const char *limit, gint64 now)
{
  g_auto (GStrv) parts = g_strsplit (limit, ":", 3);
  guint64 seconds;

  if (g_strv_length (parts) < 2 || !is_about_errors (parts[1]))
    return;
  if (!g_ascii_string_to_unsigned (g_strstrip (parts[0]), 10, 0, G_MAXUINT64, &seconds, NULL))
    seconds = DEFAULT_PAUSE;
  close_for (self, seconds, now);
}

/**
 * amps_sentry_limits_note_answer:
 * @self: limits
 * @status: the HTTP status of an answer of Sentry
 * @retry_after: (nullable): its header Retry-After
 * @rate_limits: (nullable): its header X-Sentry-Rate-Limits, which an answer of any status
 *   may have, and which says more than the other
 * @now: monotonic µs
 */
void
amps_sentry_limits_note_answer (AmpsSentryLimits *self, unsigned int status,
                                const char *retry_after, const char *rate_limits, gint64 now)
{
  g_auto (GStrv) limits = g_strsplit (rate_limits != NULL ? rate_limits : "", ",", -1);
  guint64 seconds = DEFAULT_PAUSE;

  for (char **limit = limits; *limit != NULL; limit++)
    note_limit (self, *limit, now);
  if (status != AMPS_HTTP_TOO_MANY_REQUESTS || rate_limits != NULL)
    return;

  if (retry_after != NULL)
    g_ascii_string_to_unsigned (retry_after, 10, 0, G_MAXUINT64, &seconds, NULL);
  close_for (self, seconds, now);
}

/**
 * amps_sentry_limits_is_closed:
 * @self: limits
 * @now: monotonic µs
 *
 * Returns: whether Sentry wants no reports
 */
gboolean
amps_sentry_limits_is_closed (AmpsSentryLimits *self, gint64 now)
{
  return now < self->closed_until;
}
