#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// A workload for AMPS in sync mode, with the CloudEvents SDK: the answer is the
// outcome of the job, so it comes after the work, within JOB_TIMEOUT. 2xx is done,
// and an event in the answer is published, here to the queue `receipts`; 422
// rejects the job with the text as the reason.
//
// npm install cloudevents
// WORKLOAD_MODE=sync WORKLOAD_CONTENT_TYPE=application/cloudevents+json amps
'use strict';

const http = require('http');
const { CloudEvent, HTTP } = require('cloudevents');

// What a real workload has instead of this: the work.
async function book(payment) {
  if (payment.amount < 0) throw new RangeError(`amount ${payment.amount} is negative`);
  return { booked: payment.amount };
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return HTTP.toEvent({ headers: request.headers, body: Buffer.concat(parts).toString() });
}

const server = http.createServer(async (request, response) => {
  try {
    const job = await read(request);
    const receipt = new CloudEvent({
      id: `receipt-${job.id}`, // The same if the job runs again.
      source: '/bookkeeper',
      type: 'receipts',
      data: await book(job.data),
    });
    const { headers, body } = HTTP.structured(receipt);
    response.writeHead(200, headers).end(body);
  } catch (error) {
    response.writeHead(422).end(error.message);
  }
});

server.listen(Number(process.env.PORT ?? 5050), '127.0.0.1');
