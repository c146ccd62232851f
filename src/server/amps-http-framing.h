/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-http-head.h"

G_BEGIN_DECLS

/**
 * AmpsHttpFraming:
 *
 * Where the requests begin and end in the bytes of a connection. It does no I/O,
 * and it does not matter in what pieces the bytes come.
 */
typedef struct {
  /*< private >*/
  gsize max_body;
  int state;
  AmpsHttpHead head;
  gsize line;     /* where, in what is kept, the line begins that is not complete */
  gsize searched; /* how much of that line was searched for its end */
  gsize n_empty;  /* lines before the first one of the head */
  gsize trailer;  /* bytes of it */
  guint64 body;   /* bytes of the chunks that have begun */
  guint64 left;   /* bytes of the body, or of the chunk, that have not come */
  const AmpsHttpProblem *problem;
} AmpsHttpFraming;

void amps_http_framing_init (AmpsHttpFraming *self, gsize max_body);
gsize amps_http_framing_filter (AmpsHttpFraming *self, char *data, gsize *length);
const AmpsHttpProblem *amps_http_framing_get_problem (const AmpsHttpFraming *self);

G_END_DECLS
