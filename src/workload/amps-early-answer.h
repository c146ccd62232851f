/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-answer.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsEarlyAnswer:
 *
 * An answer that a workload gives before it has read the request, as a server does that
 * finds it too large and ends the connection. libsoup, which writes first and reads
 * then, sees only that it can't write.
 */
typedef struct _AmpsEarlyAnswer AmpsEarlyAnswer;

AmpsEarlyAnswer *amps_early_answer_new (GSocket *socket);
void amps_early_answer_free (AmpsEarlyAnswer *self);
AmpsAnswer *amps_early_answer_read (AmpsEarlyAnswer *self, gboolean sync);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEarlyAnswer, amps_early_answer_free)

G_END_DECLS
