/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-option.h"
#include "amps-ctl-output.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsCtlContext:
 *
 * What a command has to work with. Ctrl-C and SIGTERM cancel it.
 */
#define AMPS_CTL_TYPE_CONTEXT (amps_ctl_context_get_type ())
G_DECLARE_FINAL_TYPE (AmpsCtlContext, amps_ctl_context, AMPS_CTL, CONTEXT, GObject)

AmpsCtlContext *amps_ctl_context_new (AmpsConfig *config, const AmpsCtlGeneral *general,
                                      gconstpointer options, const char *const *arguments);

AmpsConfig *amps_ctl_context_get_config (AmpsCtlContext *self);
AmpsCtlOutput *amps_ctl_context_get_output (AmpsCtlContext *self);
const AmpsCtlGeneral *amps_ctl_context_get_general (AmpsCtlContext *self);
gconstpointer amps_ctl_context_get_options (AmpsCtlContext *self);
const char *const *amps_ctl_context_get_arguments (AmpsCtlContext *self);
gint64 amps_ctl_context_get_timeout (AmpsCtlContext *self);
GCancellable *amps_ctl_context_get_cancellable (AmpsCtlContext *self);
int amps_ctl_context_get_signal (AmpsCtlContext *self);

/**
 * AmpsCtlDoneFunc:
 * @user_data: what was passed along
 *
 * Returns: whether what was waited for has come
 */
typedef gboolean (*AmpsCtlDoneFunc) (gpointer user_data);

gboolean amps_ctl_context_wait (AmpsCtlContext *self, AmpsCtlDoneFunc is_done, gpointer user_data,
                                gint64 timeout, GError **error);
gboolean amps_ctl_context_sleep (AmpsCtlContext *self, gint64 duration, GError **error);

G_END_DECLS
