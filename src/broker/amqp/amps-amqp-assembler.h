/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"
#include "amps-amqp-message.h"
#include "base/amps-byte-budget.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpAssembler:
 *
 * Puts messages together from the frames of one channel (AMQP 0-9-1, 4.2.6).
 */
typedef struct _AmpsAmqpAssembler AmpsAmqpAssembler;

AmpsAmqpAssembler *amps_amqp_assembler_new (guint64 max_kept_size, guint64 max_body_size,
                                            AmpsByteBudget *budget);
void amps_amqp_assembler_free (AmpsAmqpAssembler *self);
gboolean amps_amqp_assembler_add_frame (AmpsAmqpAssembler *self, const amqp_frame_t *frame,
                                        AmpsAmqpMessage **message, GError **error);
gboolean amps_amqp_assembler_is_waiting (AmpsAmqpAssembler *self);
void amps_amqp_assembler_set_patient (AmpsAmqpAssembler *self, gboolean patient);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpAssembler, amps_amqp_assembler_free)

G_END_DECLS
