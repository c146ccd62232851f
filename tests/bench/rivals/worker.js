// SPDX-License-Identifier: MIT
// What one would write instead of using AMPS, in Node.js: many jobs at once.
// Environment: BROKER_HOST, BROKER_SUBJECT, MAX_CONCURRENCY, WORKLOAD_ADDRESS.
'use strict';

const amqp = require('amqplib');

const { BROKER_HOST, BROKER_SUBJECT, MAX_CONCURRENCY, WORKLOAD_ADDRESS } = process.env;

async function main() {
  const connection = await amqp.connect(BROKER_HOST);
  const channel = await connection.createChannel();

  await channel.prefetch(Number(MAX_CONCURRENCY));
  await channel.consume(BROKER_SUBJECT, async (message) => {
    const answer = await fetch(WORKLOAD_ADDRESS, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: message.content,
    });

    await answer.arrayBuffer();
    if (answer.ok) {
      channel.ack(message);
    } else {
      channel.nack(message);
    }
  });
}

main();
