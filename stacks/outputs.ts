import type { IResolver, ResolutionContext } from 'cdk8s';
import { Output, all, output, type Input } from '@pulumi/pulumi';
import { describeLateValues, latePlaceholder, splitAtPlaceholders } from '../constructs/plan/late-values';

/** A value that is put in later. */
interface LateValue {
  readonly output: Output<unknown>;
  /** Whether it becomes text also where it stands alone. */
  readonly asText: boolean;
}

/** Values by the number of their placeholder. They live as long as the process: nobody knows who keeps the text. */
const values: LateValue[] = [];
/** Placeholders of what has one already: the same value is the same text wherever a construct compares it. */
const placeholdersOfText = new WeakMap<object, string>();
const placeholdersOfValues = new WeakMap<object, string>();

/** What an Output says of itself where somebody used it as text. */
const USED_AS_TEXT = /Calling \[to(?:String|JSON)\] on an \[Output/;

/**
 * Text that stands for an `Output` wherever a construct takes text, also within longer text:
 * `` `s3://${asString(bucket.id)}/resnet50` ``. `ChartResources` puts the value in; a secret stays one.
 *
 * It cannot stand where the library itself must know the value: as name or namespace of an object it is refused. What
 * encodes or hashes the text hides it. The value goes into JSON or YAML as it is, so that one with quotes or line
 * breaks would break them.
 *
 * @param value text, or a number or boolean, which become text; anything else fails the deployment
 */
export function asString(value: Input<string | number | boolean>): string {
  return typeof value === 'object'
    ? placeholderOf(placeholdersOfText, value, () => ({ output: output(value), asText: true }))
    : String(value);
}

/** Lets Outputs stand in the fields of cdk8s objects themselves, where they keep their type. */
export const outputResolver: IResolver = {
  resolve(context: ResolutionContext): void {
    const value: unknown = context.value;
    if (Output.isInstance(value)) {
      const late = (): LateValue => ({ output: value, asText: false });
      context.replaceValue(placeholderOf(placeholdersOfValues, value, late));
    }
  },
};

/**
 * A part of a manifest with the Outputs put in.
 *
 * @param field path of that part, for problems
 * @param problems takes what cannot be put in
 */
export function withOutputs(part: unknown, field: string, problems: string[]): unknown {
  if (typeof part === 'string') {
    return textWithOutputs(part, field, problems);
  }
  if (Array.isArray(part)) {
    return part.map((item, index) => withOutputs(item, `${field}[${index}]`, problems));
  }
  if (typeof part !== 'object' || part === null) {
    return part;
  }
  const entries = Object.entries(part).map(([key, value]) => {
    const path = field === '' ? key : `${field}.${key}`;
    if (hasOutputs(key)) {
      problems.push(
        `'${field}' (the key ${describeLateValues(key)}) must have keys that are known because only values can come late`,
      );
    }
    return [key, withOutputs(value, path, problems)] as const;
  });
  return Object.fromEntries(entries);
}

/** Whether an Output is to be put into some text. */
export function hasOutputs(text: string): boolean {
  return splitAtPlaceholders(text).length > 1;
}

function textWithOutputs(text: string, field: string, problems: string[]): unknown {
  if (USED_AS_TEXT.test(text)) {
    problems.push(
      `'${field}' (an Output used as text) must be made with asString(output) or pulumi.interpolate because an Output has no text before it is deployed`,
    );
    return text;
  }
  const parts = splitAtPlaceholders(text);
  if (parts.length === 1) {
    return text;
  }
  const late = parts.flatMap((id, index) => (index % 2 === 1 ? (values[Number(id)] ?? []) : []));
  if (2 * late.length + 1 !== parts.length) {
    problems.push(`'${field}' (${text}) must hold placeholders of this process only because no other has the values`);
    return text;
  }
  const [only] = late;
  if (parts.length === 3 && parts.join('') === parts[1] && only?.asText === false) {
    return only.output;
  }
  return all(late.map((value) => value.output)).apply((known) =>
    parts.map((part, index) => (index % 2 === 0 ? part : toText(known[(index - 1) / 2], field))).join(''),
  );
}

function placeholderOf(known: WeakMap<object, string>, key: object, value: () => LateValue): string {
  let text = known.get(key);
  if (text === undefined) {
    text = latePlaceholder(values.push(value()) - 1);
    known.set(key, text);
  }
  return text;
}

function toText(value: unknown, field: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  // not the value: it may be a secret
  const type = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  throw new TypeError(
    `'${field}' (an Output that holds ${type}) must be text, a number or a boolean because it is put into text`,
  );
}
