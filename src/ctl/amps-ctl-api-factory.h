/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-api.h"

G_BEGIN_DECLS

AmpsCtlApi *amps_ctl_api_factory_create (AmpsCtlContext *context, GError **error);

G_END_DECLS
