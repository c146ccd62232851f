/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Lets everything happen that is about to, between sockets, too. */
void iterate_until_idle (void);

G_END_DECLS
