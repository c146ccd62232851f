/* SPDX-License-Identifier: MIT */
#pragma once

/* The channels of a connection, and what each is for. */

/**
 * AMPS_AMQP_CHANNEL:
 *
 * The channel that consumes or publishes.
 */
#define AMPS_AMQP_CHANNEL 1

/**
 * AMPS_AMQP_DECLARING_CHANNEL:
 *
 * The channel for what may be refused while publications are not confirmed: a
 * broker that refuses closes the channel.
 */
#define AMPS_AMQP_DECLARING_CHANNEL 2

/**
 * AMPS_AMQP_RETRY_CHANNEL:
 *
 * The channel for copies to retry queues. RabbitMQ's channel does nothing else while
 * it waits for a quorum queue without a leader: 65 s for each message.
 */
#define AMPS_AMQP_RETRY_CHANNEL 3

/**
 * AMPS_AMQP_DEAD_LETTER_CHANNEL:
 *
 * The channel for copies to the dead-letter queue, likewise.
 */
#define AMPS_AMQP_DEAD_LETTER_CHANNEL 4

/**
 * AMPS_AMQP_N_CHANNELS:
 *
 * The highest channel of a connection. What waits for the frame of one channel,
 * amqp_simple_wait_frame_on_channel(), drops those of the others.
 */
#define AMPS_AMQP_N_CHANNELS 4
