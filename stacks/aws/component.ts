import { Problems, ConfigurationError } from '../../constructs/plan/errors';
import type { PlatformTags } from './tags';

/*
 * Conventions of all components in this folder:
 *
 * - `class X extends ComponentResource` with the type token `mediform:aws:X`, args `XArgs` and a function `checkX` that
 *   records all that is wrong with them. The constructor starts with `assertValid(name, (p) => checkX(p, args))`, before
 *   `super`: nothing is created from bad arguments.
 * - Children are named `<component's name>-<part>`, have `parent: this`, and carry `serviceTags(args.tags, ...)` where
 *   their type takes tags. AWS names are left to Pulumi unless something outside of Pulumi has to know them.
 * - Public members are Outputs and plain data, never classes of @pulumi/aws: their types would cost whoever imports
 *   `mediform/aws` twice the memory. Pulumi's resource option `transforms` reaches every child.
 * - Policies are made by pure functions from plain strings (`policy.ts`), so that a test can read every one of them.
 */

/** What every component is told. */
export interface AwsComponentArgs {
  /** Tags of everything that it makes. */
  readonly tags: PlatformTags;
}

/**
 * Throws what `check` found wrong.
 *
 * @param path logical name of the component
 * @throws ConfigurationError that lists everything at once
 */
export function assertValid(path: string, check: (problems: Problems) => void): void {
  const problems = new Problems();
  check(problems);
  if (problems.list.length > 0) {
    throw new ConfigurationError(problems.list, path);
  }
}

/** Records what is wrong with one part of larger arguments: `'cidr'` of the part `network` reads `'network.cidr'`. */
export function checkPart(problems: Problems, part: string, check: (problems: Problems) => void): void {
  const found = new Problems();
  check(found);
  problems.add(found.list.map((problem) => problem.replace(/^'/, `'${part}.`)));
}

/** Records a name that EKS would refuse. */
export function checkClusterName(problems: Problems, property: string, name: unknown): void {
  problems.check(
    typeof name === 'string' && /^[0-9A-Za-z][\w-]{0,45}$/.test(name),
    property,
    name,
    'be 1 to 46 letters, digits, - and _, and start with a letter or digit',
    'EKS takes no others, and the name of the role KarpenterNodeRole-<name> has room for no more',
  );
}
