// SPDX-License-Identifier: MIT
// Reads a list of envelopes by Sentry's own parser; writes what is in each.
const { parseEnvelope } = require('@sentry/core');

const envelopes = JSON.parse(require('fs').readFileSync(0, 'utf8'));
for (const envelope of envelopes) {
  const [header, items] = parseEnvelope(envelope);
  // What has a length is bytes to it.
  const events = items.map(([item, bytes]) => [item, JSON.parse(new TextDecoder().decode(bytes))]);
  console.log(JSON.stringify([header, events]));
}
