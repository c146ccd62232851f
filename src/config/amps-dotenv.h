/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char **amps_dotenv_read (const char *path, GPtrArray *problems);

G_END_DECLS
