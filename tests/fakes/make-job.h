/* SPDX-License-Identifier: MIT */
#pragma once

#include "jobs/amps-job.h"

G_BEGIN_DECLS

/* A job as a broker would deliver it, on @epoch. */
AmpsJob *make_job (const char *id, const char *body, unsigned int epoch);
AmpsJob *make_redelivered_job (const char *id, const char *body, unsigned int epoch);

G_END_DECLS
