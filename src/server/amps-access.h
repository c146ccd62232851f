/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

gboolean amps_access_check (AmpsConfig *config, SoupServerMessage *message, GError **error);
GInetAddress *amps_access_dup_address (GSocketAddress *address);
gboolean amps_access_is_local (GSocketAddress *remote, GSocketAddress *local);
gboolean amps_access_is_own_host (const char *host, const char *api_url);
gboolean amps_access_is_own_site (const char *site);
gboolean amps_access_is_own_origin (const char *origin, const char *host);

G_END_DECLS
