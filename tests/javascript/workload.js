// SPDX-License-Identifier: MIT
// A workload that reads every POST with the CloudEvents SDK, as it stands in the
// SDK's manual, and writes one line for each event: what the SDK made of it.
//
// MODE   what it does with a job:
//        async      acknowledges it by the API
//        sync       answers 200
//        structured, binary
//                   answers with an event of the type ANSWER_TYPE in that mode
//        emit-structured, emit-binary
//                   publishes that event by the API, then acknowledges
'use strict';

const http = require('http');
const { CloudEvent, HTTP, emitterFor, httpTransport, Mode } = require('cloudevents');

const { MODE, ANSWER_TYPE } = process.env;

function describe(event) {
  const { data, data_base64: base64, ...attributes } = event.toJSON();
  return { attributes, base64, data: base64 === undefined ? data : undefined };
}

function answerTo(event) {
  return new CloudEvent({
    id: `answer-${event.id}`,
    source: '/workload.js',
    type: ANSWER_TYPE,
    // Not more than ASCII: the SDK does not encode it for HTTP headers.
    subject: 'a subject, 100%',
    answered: true,
    data: { to: event.id, number: 1.5 },
  });
}

async function call(api, path, body) {
  const answer = await fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (answer.status !== 202) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function run(events, api, response) {
  switch (MODE) {
    case 'async':
      await call(api, 'acknowledge', { identifiers: events.map((event) => event.id) });
      return response.writeHead(204).end();
    case 'sync':
      return response.writeHead(200).end();
    case 'structured':
    case 'binary': {
      const { headers, body } = HTTP[MODE](answerTo(events[0]));
      return response.writeHead(200, headers).end(body);
    }
    default: {
      const mode = MODE === 'emit-binary' ? Mode.BINARY : Mode.STRUCTURED;
      await emitterFor(httpTransport(`${api}/publish`), { mode })(answerTo(events[0]));
      await call(api, 'acknowledge', { identifier: events[0].id });
      return response.writeHead(204).end();
    }
  }
}

const server = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  try {
    const body = Buffer.concat(parts).toString();
    const events = [HTTP.toEvent({ headers: request.headers, body })].flat();
    events.forEach((event) => event.validate());
    events.forEach((event) => console.log(JSON.stringify(describe(event))));
    await run(events, request.headers['amps-api'], response);
  } catch (error) {
    console.log(JSON.stringify({ error: String(error), details: error.errors }));
    response.writeHead(400).end(String(error));
  }
});
server.listen(Number(process.env.PORT), '127.0.0.1');
