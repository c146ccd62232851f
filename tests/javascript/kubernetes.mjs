// SPDX-License-Identifier: MIT
// Validates Kubernetes objects, read as a JSON list: each by the schema of its kind, and
// strictly, as the API server does with --validate=strict. Writes a line for each fault.

const GROUPS = {
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/** The class of an object's kind. */
async function findModel({ apiVersion, kind }) {
  const group = String(apiVersion).split('/')[0];
  const module = await import(`${GROUPS[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`);
  return module[kind];
}

/** The same value, but what is looked at in it is added to `seen`. */
function watch(value, path, seen) {
  if (value === null || typeof value !== 'object')
    return value;
  return new Proxy(value, {
    get(target, name) {
      if (typeof name !== 'string' || !Object.hasOwn(target, name))
        return target[name];
      seen.add(`${path}/${name}`);
      return watch(target[name], `${path}/${name}`, seen);
    },
  });
}

/** Every member of every object in a value. */
function* members(value, path) {
  if (value === null || typeof value !== 'object')
    return;
  for (const [name, member] of Object.entries(value)) {
    if (!Array.isArray(value))
      yield `${path}/${name}`;
    yield* members(member, `${path}/${name}`);
  }
}

/** What is wrong with an object. The schemas allow members that they do not know, but their
 * validators are code, which looks only at those that they know. */
async function findFaults(object) {
  let Model;
  try {
    Model = await findModel(object);
  } catch {
    return [`there is no kind ${object.kind} in ${object.apiVersion}`];
  }

  try {
    new Model(object).validate();
  } catch (error) {
    return [error.message];
  }

  const seen = new Set();
  Model.prototype.validate.call(watch(object, '', seen));
  return [...members(object, '')].filter((path) => !seen.has(path))
    .map((path) => `${path} is unknown`);
}

let text = '';
for await (const chunk of process.stdin)
  text += chunk;
for (const [index, object] of JSON.parse(text).entries()) {
  for (const fault of await findFaults(object))
    console.log(JSON.stringify({ index, fault: `${object.kind}: ${fault}` }));
}
