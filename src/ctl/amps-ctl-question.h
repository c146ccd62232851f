/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"

G_BEGIN_DECLS

gboolean amps_ctl_question_can_be_asked (void);
gboolean amps_ctl_question_ask (AmpsCtlContext *context, const char *question, gboolean *yes,
                                GError **error);

G_END_DECLS
