/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-output.h"
#include "amps-ctl-table.h"
#include "jobs/amps-dead-letter.h"

G_BEGIN_DECLS

/* How a dead letter is shown. */

AmpsCtlTable *amps_ctl_dead_letter_new_table (void);
void amps_ctl_dead_letter_add_to (const AmpsDeadLetter *letter, AmpsCtlTable *table);
void amps_ctl_dead_letter_add_json (const AmpsDeadLetter *letter, JsonBuilder *builder);
void amps_ctl_dead_letter_print (const AmpsDeadLetter *letter, AmpsCtlOutput *output);

G_END_DECLS
