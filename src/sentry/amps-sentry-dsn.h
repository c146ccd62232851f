/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsSentryDsn:
 * @url: owned; where envelopes are POSTed
 * @auth: owned; the header X-Sentry-Auth; a secret
 *
 * What the setting SENTRY_DSN says.
 */
typedef struct {
  char *url;
  char *auth;
} AmpsSentryDsn;

AmpsSentryDsn *amps_sentry_dsn_new (const char *text);
void amps_sentry_dsn_free (AmpsSentryDsn *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsSentryDsn, amps_sentry_dsn_free)

G_END_DECLS
