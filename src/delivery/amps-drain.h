/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsDrain:
 *
 * Whether AMPS drains, and how far: the one place that knows. It is off, or jobs in
 * flight are finished, or in a hurry those are given back, too. When the process is to
 * end it can't be undone.
 */
#define AMPS_TYPE_DRAIN (amps_drain_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDrain, amps_drain, AMPS, DRAIN, GObject)

AmpsDrain *amps_drain_new (void);
void amps_drain_begin (AmpsDrain *self);
void amps_drain_begin_for_good (AmpsDrain *self);
void amps_drain_hurry (AmpsDrain *self);
gboolean amps_drain_end (AmpsDrain *self, GError **error);

gboolean amps_drain_is_on (AmpsDrain *self);
gboolean amps_drain_is_hurried (AmpsDrain *self);
gboolean amps_drain_is_for_good (AmpsDrain *self);

G_END_DECLS
