// Regenerates schemas/*.json (strict JSON Schemas) and constructs/imports/*.ts (types) for every Kubernetes kind
// this package emits, from the published Go modules listed below. Needs the `go` command; run by `npm run schemas`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import { parseAllDocuments } from 'yaml';

const KUBERNETES = 'k8s.io/kubernetes@v1.34.4';
const CERT_MANAGER = 'github.com/cert-manager/cert-manager@v1.21.2';
const KARPENTER_AWS = 'github.com/aws/karpenter-provider-aws@v1.8.6';
const KEDA = 'github.com/kedacore/keda/v2@v2.19.0';
const PROMETHEUS_OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';
const VPA = 'k8s.io/autoscaler/vertical-pod-autoscaler@v1.5.1';

const openapi = (file) => `api/openapi-spec/v3/${file}_openapi.json`;
const prometheusCrd = (file) => `example/prometheus-operator-crd/monitoring.coreos.com_${file}.yaml`;

// One row per source file: [module, file in it, apiVersion, kinds]. A YAML file is a CRD, a JSON file an OpenAPI document.
const SOURCES = [
  [
    KUBERNETES,
    openapi('api__v1'),
    'v1',
    ['ConfigMap', 'Namespace', 'PersistentVolumeClaim', 'Service', 'ServiceAccount'],
  ],
  [KUBERNETES, openapi('apis__apps__v1'), 'apps/v1', ['Deployment', 'StatefulSet']],
  [KUBERNETES, openapi('apis__autoscaling__v2'), 'autoscaling/v2', ['HorizontalPodAutoscaler']],
  [KUBERNETES, openapi('apis__batch__v1'), 'batch/v1', ['CronJob', 'Job']],
  [KUBERNETES, openapi('apis__networking.k8s.io__v1'), 'networking.k8s.io/v1', ['NetworkPolicy']],
  [KUBERNETES, openapi('apis__policy__v1'), 'policy/v1', ['PodDisruptionBudget']],
  [KUBERNETES, openapi('apis__scheduling.k8s.io__v1'), 'scheduling.k8s.io/v1', ['PriorityClass']],
  [CERT_MANAGER, 'deploy/crds/cert-manager.io_certificates.yaml', 'cert-manager.io/v1', ['Certificate']],
  [KARPENTER_AWS, 'pkg/apis/crds/karpenter.sh_nodepools.yaml', 'karpenter.sh/v1', ['NodePool']],
  [KARPENTER_AWS, 'pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml', 'karpenter.k8s.aws/v1', ['EC2NodeClass']],
  [KEDA, 'config/crd/bases/keda.sh_scaledobjects.yaml', 'keda.sh/v1alpha1', ['ScaledObject']],
  [PROMETHEUS_OPERATOR, prometheusCrd('podmonitors'), 'monitoring.coreos.com/v1', ['PodMonitor']],
  [PROMETHEUS_OPERATOR, prometheusCrd('prometheusrules'), 'monitoring.coreos.com/v1', ['PrometheusRule']],
  [VPA, 'deploy/vpa-v1-crd-gen.yaml', 'autoscaling.k8s.io/v1', ['VerticalPodAutoscaler']],
];

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
// Interface names that differ from the kind, to keep clear of this package's own constructs.
const TYPE_NAMES = { NodePool: 'KarpenterNodePool' };

const SCHEMAS = fileURLToPath(new URL('../schemas', import.meta.url));
const IMPORTS = fileURLToPath(new URL('../constructs/imports', import.meta.url));

const moduleDirs = new Map();
function read(module, file) {
  if (!moduleDirs.has(module)) {
    const options = { cwd: tmpdir(), encoding: 'utf8' }; // outside of any Go module
    moduleDirs.set(module, JSON.parse(execFileSync('go', ['mod', 'download', '-json', module], options)).Dir);
  }
  return readFileSync(join(moduleDirs.get(module), file), 'utf8');
}

const pick = (object, test) => Object.fromEntries(Object.entries(object).filter(([key]) => test(key)));
const mapValues = (object, fn) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fn(value)]));

// --- Reading: OpenAPI and CRD schemas to strict JSON Schema ---

const STRING_CONSTRAINTS = ['format', 'maxLength', 'minLength', 'pattern'];
const OTHERS = ['enum', 'maxItems', 'maxProperties', 'maximum', 'minItems', 'minimum', 'required', 'type'];
const CONSTRAINTS = [...STRING_CONSTRAINTS, ...OTHERS];
const USED = ['$ref', 'additionalProperties', 'allOf', 'anyOf', 'items', 'nullable', 'oneOf', 'properties'];
const DROPPED = ['default', 'description'];

const kubernetes = {}; // the OpenAPI schemas, by full name
const definitions = {}; // those in use, converted, by short name
const fullNames = {}; // short name to full name

/** A reference to a Kubernetes definition by its short name; converts it when it is first used. */
function reference(fullName) {
  const name = fullName.split('.').pop();
  if ((fullNames[name] ??= fullName) !== fullName) throw new Error(`clash: ${fullName}, ${fullNames[name]}`);
  if (!(name in definitions)) {
    definitions[name] = {}; // ends recursion
    definitions[name] = convert(kubernetes[fullName]);
  }
  return { $ref: `#/$defs/${name}` };
}

function convert(source, isCrd = false) {
  for (const key of Object.keys(source).filter((name) => !name.startsWith('x-kubernetes-')))
    if (![...CONSTRAINTS, ...USED, ...DROPPED].includes(key)) throw new Error(`unhandled schema keyword: ${key}`);
  if (source.nullable) return { anyOf: [convert({ ...source, nullable: false }, isCrd), { type: 'null' }] };
  if (source.$ref) return reference(source.$ref.split('/').pop());
  if (source.allOf) {
    if (source.allOf.length !== 1 || source.type) throw new Error('allOf is only handled around a single schema');
    return convert(source.allOf[0], isCrd);
  }
  const schema = pick(source, (key) => CONSTRAINTS.includes(key));
  if (schema.pattern?.includes('(?i)')) {
    // Go's flag to ignore case; the patterns with it are plain words.
    schema.pattern = schema.pattern.replace('(?i)', '').replace(/[a-z]/g, (c) => `[${c}${c.toUpperCase()}]`);
  }
  const isIntOrString = source['x-kubernetes-int-or-string'];
  const union = source.anyOf ?? source.oneOf ?? (isIntOrString && [{ type: 'integer' }, { type: 'string' }]);
  if (union) {
    // Integer or string, number or string: further constraints are about the string.
    if (union.some((branch) => Object.keys(branch).join() !== 'type')) throw new Error('unhandled union');
    const constraints = pick(schema, (key) => key !== 'format');
    return { anyOf: union.map(({ type }) => (type === 'string' ? { ...constraints, type } : { type })) };
  }
  if (source.items) {
    schema.items = convert(source.items, isCrd);
    // Karpenter's lists of label values carry the constraints of their items.
    for (const key of STRING_CONSTRAINTS.filter((name) => name in schema)) {
      schema.items[key] = schema[key];
      delete schema[key];
    }
  }
  if (source['x-kubernetes-list-type'] === 'set') schema.uniqueItems = true;
  if (schema.type === 'object') {
    const { properties, additionalProperties: extra } = source;
    if (properties) schema.properties = mapValues(properties, (property) => convert(property, isCrd));
    if (typeof extra === 'object') schema.additionalProperties = convert(extra, isCrd);
    else schema.additionalProperties = extra ?? (!properties || !!source['x-kubernetes-preserve-unknown-fields']);
    // The API server fills in a CRD's defaults before it checks what is required.
    if (isCrd) schema.required = schema.required?.filter((name) => properties[name]?.default === undefined);
    if (!schema.required?.length) delete schema.required;
  }
  return schema;
}

/** Adds the enums: the published OpenAPI documents omit them, the generated Go code they are made from has them. */
function addEnums() {
  let type, property;
  for (const line of read(KUBERNETES, 'pkg/generated/openapi/zz_generated.openapi.go').split('\n')) {
    const [, group, version, name] = /^func schema_k8sio_api_([^_]+)_([^_]+)_(\w+)\(/.exec(line) ?? [];
    if (name) type = kubernetes[`io.k8s.api.${group}.${version}.${name}`];
    else if (line.startsWith('func ')) type = undefined;
    property = /^\t{5}"(\w+)": \{$/.exec(line)?.[1] ?? property;
    const values = type && /^\t+Enum: +\[\]interface\{\}\{(.*)\},$/.exec(line)?.[1];
    if (!values) continue;
    const schema = type.properties[property];
    const target = schema.items ?? schema.additionalProperties ?? schema;
    if (target.type !== 'string') throw new Error(`enum on a property that is no string: ${property}`);
    target.enum = JSON.parse(`[${values}]`);
  }
}

/** The source schema of a kind, from an OpenAPI document or from CRDs. */
function findSource(text, isCrd, group, version, kind) {
  if (isCrd) {
    const crds = parseAllDocuments(text).map((document) => document.toJS());
    const crd = crds.find((candidate) => candidate?.spec.group === group && candidate.spec.names.kind === kind);
    return crd.spec.versions.find(({ name }) => name === version).schema.openAPIV3Schema;
  }
  const matches = (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind;
  return Object.values(kubernetes).find((schema) => schema['x-kubernetes-group-version-kind']?.some(matches));
}

function readKinds() {
  const texts = SOURCES.map(([module, file]) => read(module, file));
  const isCrd = SOURCES.map(([, file]) => file.endsWith('.yaml'));
  texts.forEach((text, i) => isCrd[i] || Object.assign(kubernetes, JSON.parse(text).components.schemas));
  addEnums();
  delete kubernetes[OBJECT_META].properties.managedFields; // bookkeeping of the API server
  return SOURCES.flatMap(([module, , apiVersion, kinds], i) => {
    const [version, group = ''] = apiVersion.split('/').reverse();
    return kinds.map((kind) => {
      const source = findSource(texts[i], isCrd[i], group, version, kind);
      const properties = pick(source.properties, (key) => key !== 'metadata' && key !== 'status');
      const schema = convert({ ...source, properties }, isCrd[i]);
      const metadata = { ...reference(OBJECT_META), properties: { name: true }, required: ['name'], type: 'object' };
      Object.assign(schema.properties, { apiVersion: { const: apiVersion }, kind: { const: kind }, metadata });
      schema.required = [...new Set(['apiVersion', 'kind', 'metadata', ...(schema.required ?? [])])];
      return { apiVersion, kind, module, schema, file: `${group || 'core'}_${version}_${kind}.json` };
    });
  });
}

// --- Writing ---

/** The names of the definitions that a schema refers to; with `deep`, also those they refer to. */
function references(schema, deep, found = new Set()) {
  JSON.stringify(schema, (key, value) => {
    const name = key === '$ref' && value.split('/').pop();
    if (name && !found.has(name)) {
      found.add(name);
      if (deep) references(definitions[name], deep, found);
    }
    return value;
  });
  return found;
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object') return value;
  return mapValues(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))), sorted);
}

async function write(filepath, text) {
  writeFileSync(filepath, await format(text, { ...(await resolveConfig(filepath)), filepath }));
}

async function writeSchema({ file, module, schema }) {
  const $defs = Object.fromEntries([...references(schema, true)].map((name) => [name, definitions[name]]));
  const $schema = 'https://json-schema.org/draft/2020-12/schema';
  await write(join(SCHEMAS, file), JSON.stringify(sorted({ $schema, $comment: `From ${module}`, $defs, ...schema })));
}

/** A TypeScript declaration for a schema; references become plain type names. */
async function declaration(name, schema) {
  const named = JSON.parse(JSON.stringify(sorted(schema)), (_, value) =>
    value?.$ref ? { tsType: value.required ? 'NamedObjectMeta' : value.$ref.split('/').pop() } : value,
  );
  const options = { bannerComment: '', format: false, ignoreMinAndMaxItems: true };
  const text = (await compile(named, name, options)).replace(/\/\*\*[\s\S]*?\*\/\s*/g, '');
  if (!new RegExp(`^export (interface|type) ${name} `).test(text)) throw new Error(`not named ${name}: ${text}`);
  return text;
}

const banner = (module) => `// Generated by scripts/update-schemas.mjs from ${module}. Do not edit.\n\n`;

async function writeTypes({ kind, module, schema }) {
  const names = [...references(schema, false)].map((name) => name.replace(/^ObjectMeta$/, 'NamedObjectMeta')).sort();
  const text = `import type { ${names} } from './k8s';\n\n` + (await declaration(TYPE_NAMES[kind] ?? kind, schema));
  const file = kind.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  await write(join(IMPORTS, `${file}.ts`), banner(module) + text);
}

const readme = (kinds) => `# Schemas

Strict JSON Schemas (draft 2020-12) of every Kubernetes kind this package emits. Tests check manifests against them
offline, and the types in \`constructs/imports\` are generated from them. Unlike the API server's own schemas they reject
unknown fields, require \`metadata.name\` and leave out \`status\`.

| Kind | Source |
| ---- | ------ |
${kinds.map(({ apiVersion, file, kind, module }) => `| [${apiVersion} ${kind}](${file}) | ${module} |`).join('\n')}

To update: change the versions at the top of \`scripts/update-schemas.mjs\` and run \`npm run schemas\` (needs Go).

Not covered: CEL rules (\`x-kubernetes-validations\`), and what the API server checks in code, such as port ranges, name
syntax or unique names in lists.
`;

const kinds = readKinds();
for (const dir of [SCHEMAS, IMPORTS]) {
  rmSync(dir, { force: true, recursive: true });
  mkdirSync(dir, { recursive: true });
}
for (const kind of kinds) {
  await writeSchema(kind);
  await writeTypes(kind);
}
const shared = ['export type NamedObjectMeta = ObjectMeta & { name: string };\n'];
for (const name of Object.keys(definitions).sort()) shared.push(await declaration(name, definitions[name]));
await write(join(IMPORTS, 'k8s.ts'), banner(KUBERNETES) + shared.join('\n'));
await write(join(SCHEMAS, 'README.md'), readme(kinds));
