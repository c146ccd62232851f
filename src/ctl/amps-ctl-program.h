/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

int amps_ctl_program_run (const char *const *argv, const char *const *environment);

G_END_DECLS
