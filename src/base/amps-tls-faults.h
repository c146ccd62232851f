/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What is wrong with a certificate, for people. */
char *amps_tls_faults_describe (GTlsCertificateFlags faults, const char *peer);

G_END_DECLS
