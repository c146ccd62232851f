/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void amps_embedded_file_make (const char *path);
char *amps_embedded_file_describe_exposure (const char *path);

G_END_DECLS
