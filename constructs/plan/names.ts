import type { Problems } from './errors';

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Whether a name is a DNS label that starts with a letter, as names of Services must. */
export function isDnsLabel(name: string): boolean {
  return DNS_LABEL.test(name);
}

/** Why the name and the namespace of a construct are what they must be. */
export interface NameReasons {
  /** Longest name that leaves room for what is generated behind it. */
  readonly maxLength: number;
  /** What is named after it. */
  readonly name: string;
  /** Who names the namespace. */
  readonly namespace: string;
}

/** Checks the name and the namespace that a construct makes its objects with. */
export function checkName(problems: Problems, name: string, namespace: string | undefined, because: NameReasons): void {
  problems.check(
    isDnsLabel(name) && name.length <= because.maxLength,
    'name',
    name,
    `be a DNS label of at most ${because.maxLength} characters that starts with a letter`,
    because.name,
  );
  problems.check(
    namespace !== undefined && isDnsLabel(namespace),
    'namespace',
    namespace,
    'be given, here or on the chart, and be a DNS label',
    because.namespace,
  );
}
