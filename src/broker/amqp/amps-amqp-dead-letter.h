/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/amps-cloudevent.h"
#include "core/amps-dead-letter.h"
#include "core/amps-delivery.h"

G_BEGIN_DECLS

AmpsDeadLetter *amps_amqp_dead_letter_read (const AmpsDelivery *delivery,
                                            const AmpsCloudEvent *event);

G_END_DECLS
