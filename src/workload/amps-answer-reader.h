/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-answer.h"
#include "config/amps-config.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * AmpsAnswerFunc:
 * @answer: (transfer full) (nullable): the answer
 * @error: (nullable): why there is none
 * @user_data: as given
 */
typedef void (*AmpsAnswerFunc) (AmpsAnswer *answer, const GError *error, gpointer user_data);

void amps_answer_reader_read (SoupMessage *message, GInputStream *body, AmpsConfig *config,
                              GCancellable *cancellable, AmpsAnswerFunc done, gpointer user_data);

G_END_DECLS
