/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsWorkloadUrl:
 * @url: the whole of it, without a user, a password or a query
 * @address: its host, or the path of a socket
 * @port: its port; 0 without one
 *
 * What spans say of where jobs are POSTed.
 */
typedef struct {
  char *url;
  char *address;
  int port;
} AmpsWorkloadUrl;

AmpsWorkloadUrl *amps_workload_url_new (const char *address);
void amps_workload_url_free (AmpsWorkloadUrl *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsWorkloadUrl, amps_workload_url_free)

G_END_DECLS
