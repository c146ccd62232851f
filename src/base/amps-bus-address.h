/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *amps_bus_address_find (const char *bus);

G_END_DECLS
