/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

void amps_tls_peer_keep_address (GSocketClientEvent event, GIOStream *stream);
void amps_tls_peer_keep_address_of (GObject *message);
