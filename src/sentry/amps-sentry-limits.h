/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-log-event.h"

G_BEGIN_DECLS

/**
 * AmpsSentryLimits:
 *
 * How much may be reported: by AMPS's own limit, and by what Sentry answered.
 */
typedef struct _AmpsSentryLimits AmpsSentryLimits;

AmpsSentryLimits *amps_sentry_limits_new (void);
void amps_sentry_limits_free (AmpsSentryLimits *self);

gboolean amps_sentry_limits_admit (AmpsSentryLimits *self, AmpsLogEvent event, gint64 now,
                                   unsigned int *n_silenced);
void amps_sentry_limits_note_answer (AmpsSentryLimits *self, unsigned int status,
                                     const char *retry_after, const char *rate_limits, gint64 now);
gboolean amps_sentry_limits_is_closed (AmpsSentryLimits *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsSentryLimits, amps_sentry_limits_free)

G_END_DECLS
