import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

const SCHEMAS = join(__dirname, '..', '..', 'schemas');

const ajv = new Ajv({ strict: true, strictTypes: true, allErrors: true });
addFormats(ajv);

const validators = new Map<string, ValidateFunction | undefined>();

/**
 * What is wrong with a Kubernetes object, by the strict schema of its kind in `schemas/`; empty when it is valid.
 * An object of a kind without a schema is an error too.
 */
export function schemaErrors(object: unknown): string[] {
  if (!isRecord(object)) {
    return [`not a Kubernetes object: ${JSON.stringify(object)}`];
  }
  const name = isRecord(object.metadata) ? object.metadata.name : undefined;
  const label = `${text(object.kind)}/${text(name)}`;
  const validate = validatorFor(object.apiVersion, object.kind);
  if (validate === undefined) {
    return [`${label}: no schema for apiVersion ${text(object.apiVersion)}, kind ${text(object.kind)}`];
  }
  return validate(object) ? [] : withoutUnions(validate.errors ?? []).map((error) => `${label}: ${describe(error)}`);
}

function validatorFor(apiVersion: unknown, kind: unknown): ValidateFunction | undefined {
  const [version, group = 'core'] = String(apiVersion).split('/').reverse();
  const file = `${group}_${version}_${String(kind)}.json`;
  if (!validators.has(file)) {
    validators.set(file, compileSchema(file));
  }
  return validators.get(file);
}

function compileSchema(file: string): ValidateFunction | undefined {
  const path = join(SCHEMAS, file);
  return existsSync(path) ? ajv.compile(JSON.parse(readFileSync(path, 'utf8')) as AnySchemaObject) : undefined;
}

/**
 * A value that fits no branch of a union gets an error per branch and one for the union. Kept are the branches whose
 * type fits; if there are none, the types of all branches make one error.
 */
function withoutUnions(errors: readonly ErrorObject[]): ErrorObject[] {
  let rest = [...errors];
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    const isBranch = (error: ErrorObject): boolean =>
      error.instancePath === union.instancePath && error.schemaPath.startsWith(`${union.schemaPath}/`);
    const branches = rest.filter(isBranch);
    if (branches.every(({ keyword }) => keyword === 'type')) {
      const message = `must be ${branches.map(({ params }) => text(params.type)).join(' or ')}`;
      rest = rest.filter((error) => !isBranch(error)).map((error) => (error === union ? { ...union, message } : error));
    } else {
      rest = rest.filter((error) => error !== union && !(isBranch(error) && error.keyword === 'type'));
    }
  }
  return rest;
}

function describe({ instancePath, keyword, message = keyword, params }: ErrorObject): string {
  const details: Partial<Record<string, string>> = {
    additionalProperties: `: ${text(params.additionalProperty)}`,
    const: `: ${text(params.allowedValue)}`,
    enum: `: ${Array.isArray(params.allowedValues) ? params.allowedValues.map(text).join(', ') : ''}`,
  };
  return `${instancePath || '/'} ${message}${details[keyword] ?? ''}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '(none)');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
