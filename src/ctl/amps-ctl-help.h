/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-command.h"

G_BEGIN_DECLS

char *amps_ctl_help_format (const AmpsCtlCommand *command, const char *family, unsigned int width);

G_END_DECLS
