/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsSpareBlocks:
 *
 * Blocks of memory, of which large ones are kept for the next one that is wanted, as long as
 * others are in use. What is large is mapped and unmapped by malloc() each time, and each
 * of its pages costs a fault.
 */
typedef struct _AmpsSpareBlocks AmpsSpareBlocks;

AmpsSpareBlocks *amps_spare_blocks_new (void);
void amps_spare_blocks_unref (AmpsSpareBlocks *self);

guint8 *amps_spare_blocks_take (AmpsSpareBlocks *self, gsize size);
void amps_spare_blocks_give_back (guint8 *block);
GBytes *amps_spare_blocks_wrap (guint8 *block, gsize length);

gsize amps_spare_blocks_get_kept (AmpsSpareBlocks *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsSpareBlocks, amps_spare_blocks_unref)

G_END_DECLS
