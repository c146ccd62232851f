/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* An answer to a request that was sent while the main loop went on. */
typedef struct {
  unsigned int status;
  SoupMessage *message; /* (owned) with the headers */
  char *body;           /* (owned) */
} HttpAnswer;

HttpAnswer *http_send (SoupSession *session, SoupMessage *message, const char *body);
HttpAnswer *http_call (SoupSession *session, const char *method, guint16 port, const char *path,
                       const char *body);
void http_answer_free (HttpAnswer *answer);

GSocket *raw_connect (guint16 port);
void raw_send (GSocket *socket, const char *data, gsize length);
char *raw_receive (GSocket *socket, const char *until);
gboolean raw_is_closed (GSocket *socket);
guint16 find_free_port (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HttpAnswer, http_answer_free)

G_END_DECLS
