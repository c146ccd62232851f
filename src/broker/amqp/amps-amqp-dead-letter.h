/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/amps-cloudevent.h"
#include "jobs/amps-dead-letter.h"
#include "jobs/amps-delivery.h"

G_BEGIN_DECLS

AmpsDeadLetter *amps_amqp_dead_letter_read (const AmpsDelivery *delivery,
                                            const AmpsCloudEvent *event);

G_END_DECLS
