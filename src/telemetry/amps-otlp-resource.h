/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"

G_BEGIN_DECLS

char **amps_otlp_resource_new (AmpsConfig *config);

G_END_DECLS
