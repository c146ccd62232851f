/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"

G_BEGIN_DECLS

#define AMPS_TYPE_APPLICATION (amps_application_get_type ())
G_DECLARE_FINAL_TYPE (AmpsApplication, amps_application, AMPS, APPLICATION, GObject)

AmpsApplication *amps_application_new (AmpsConfig *config);
gboolean amps_application_run (AmpsApplication *self, GError **error);

G_END_DECLS
