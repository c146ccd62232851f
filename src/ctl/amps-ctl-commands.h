/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-command.h"

G_BEGIN_DECLS

/* Each in the file that is called like it. */
extern const AmpsCtlCommand amps_ctl_help_command;

G_END_DECLS
