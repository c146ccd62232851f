// SPDX-License-Identifier: MIT
// A workload that takes part in traces with the official OpenTelemetry SDK. Its spans go
// to OTEL_EXPORTER_OTLP_ENDPOINT.
//
// NEXT     publishes an event of this type by the API before it acknowledges, with a span
// WITH     how that event goes on: publish (a call of its own) or acknowledge (in one call)
'use strict';

const http = require('http');
const { context, propagation, trace, SpanKind } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const { NEXT, WITH, OTEL_SERVICE_NAME } = process.env;

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': OTEL_SERVICE_NAME }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 100 })],
});
provider.register();
const tracer = trace.getTracer('traced.js');

// A span of that name around what is done, below the one that is active.
function inSpan(name, kind, parent, work) {
  return tracer.startActiveSpan(name, { kind }, parent, async (span) => {
    try {
      return await work(span);
    } finally {
      span.end();
    }
  });
}

async function call(api, path, body) {
  await inSpan(`POST ${path}`, SpanKind.CLIENT, context.active(), async () => {
    const headers = {};
    propagation.inject(context.active(), headers);
    const answer = await fetch(`${api}/${path}`, {
      method: 'POST', headers, body: JSON.stringify(body),
    });
    if (answer.status !== 202) throw new Error(`${path}: ${answer.status}`);
  });
}

async function work(event, api) {
  const next = { specversion: '1.0', id: event.id, source: '/traced.js', type: NEXT };
  if (NEXT === undefined || WITH === 'publish') {
    if (NEXT !== undefined) await call(api, 'publish', next);
    await call(api, 'acknowledge', { identifier: event.id });
  } else {
    await call(api, 'acknowledge', { identifier: event.id, publish: [next] });
  }
}

http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const parent = propagation.extract(context.active(), request.headers);
  await inSpan('work', SpanKind.SERVER, parent, async (span) => {
    const { traceparent } = request.headers;
    console.log(JSON.stringify({ traceparent, span: span.spanContext().spanId }));
    await work(JSON.parse(Buffer.concat(parts)), request.headers['amps-api']);
  });
  response.writeHead(204).end();
}).listen(Number(process.env.PORT), '127.0.0.1');
