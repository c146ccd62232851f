// SPDX-License-Identifier: MIT
// Publishes and takes CloudEvents by AMQP with amqplib and the CloudEvents SDK.
// Usage: amqp.js URI publish QUEUE structured|binary < EVENTS, a JSON list
//        amqp.js URI take QUEUE COUNT > EVENTS, a line for each
'use strict';

const amqp = require('amqplib');
const fs = require('fs');
const { CloudEvent, HTTP } = require('cloudevents');

function toMessage(event, mode) {
  const { headers, body } = HTTP[mode](event);
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith('ce-'))
    .map(([name]) => [`cloudEvents:${name.slice(3)}`, String(event[name.slice(3)])]);
  return {
    // The SDK leaves it to others to write numbers and booleans.
    content: Buffer.from(/^(number|boolean)$/.test(typeof body) ? JSON.stringify(body) : body ?? ''),
    options: {
      contentType: headers['content-type'],
      headers: Object.fromEntries(attributes),
      persistent: true,
      mandatory: true,
    },
  };
}

async function publish(connection, queue, mode) {
  const channel = await connection.createConfirmChannel();
  for (const { base64, ...members } of JSON.parse(fs.readFileSync(0, 'utf8'))) {
    if (base64 !== undefined) members.data = Uint8Array.from(Buffer.from(base64, 'base64'));
    const { content, options } = toMessage(new CloudEvent(members), mode);
    channel.sendToQueue(queue, content, options);
  }
  await channel.waitForConfirms();
}

async function take(connection, queue, count) {
  const channel = await connection.createChannel();
  for (let i = 0; i < count; i++) {
    const message = await channel.get(queue, { noAck: true });
    const headers = { 'content-type': message.properties.contentType };
    const event = HTTP.toEvent({ headers, body: message.content.toString() });
    event.validate();
    console.log(JSON.stringify(event));
  }
}

async function main([uri, command, queue, argument]) {
  const connection = await amqp.connect(uri);
  await { publish, take }[command](connection, queue, argument);
  await connection.close();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
