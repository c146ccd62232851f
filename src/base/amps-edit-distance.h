/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AMPS_EDIT_DISTANCE_MAX_LENGTH:
 *
 * Bytes of a word; no setting's, option's or command's name is nearly as long.
 */
#define AMPS_EDIT_DISTANCE_MAX_LENGTH 64

unsigned int amps_edit_distance (const char *a, gsize a_length, const char *b, gsize b_length);

G_END_DECLS
