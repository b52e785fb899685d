import type { Problems } from '../../constructs/plan/errors';

/** Keys of the tags that every resource carries. Activate them for cost allocation in the billing account. */
export const TagKey = {
  /** Part of the platform that the resource serves. */
  SERVICE: 'service',
  ENVIRONMENT: 'environment',
  COST_CENTRE: 'cost-centre',
  /** What the AWS console shows as the name. */
  NAME: 'Name',
} as const;

/** Tags of one resource. */
export interface Tags {
  readonly [key: string]: string;
}

/** What the tags of all resources of a platform say. */
export interface PlatformTags {
  /** Such as `production`. */
  readonly environment: string;
  /** Whom the bill goes to, as the hospital's accounting calls it. */
  readonly costCentre: string;
  /**
   * More tags for all resources.
   *
   * @default - none
   */
  readonly more?: Tags;
}

/** Parts of the platform, as the tag `service` names them. */
export type PlatformService = 'network' | 'cluster' | 'node-pools' | 'cache' | 'database' | 'cost-export' | 'add-ons';

/**
 * Tags that every taggable resource of one part of the platform is given, on the resource itself: default tags of a
 * provider would be lost with the provider, and a test could not see them. Add `Name` where the console shows it.
 */
export function serviceTags(tags: PlatformTags, service: PlatformService): Tags {
  return {
    ...tags.more,
    [TagKey.SERVICE]: service,
    [TagKey.ENVIRONMENT]: tags.environment,
    [TagKey.COST_CENTRE]: tags.costCentre,
  };
}

/** Letters, digits, spaces and the punctuation that all of AWS's services take. */
const TAG_TEXT = /^[\p{L}\p{N} _.:/=+@-]+$/u;

/** Records tags that AWS would refuse. */
export function checkTags(problems: Problems, tags: PlatformTags): void {
  checkValue(problems, 'tags.environment', tags?.environment);
  checkValue(problems, 'tags.costCentre', tags?.costCentre);
  const own: readonly string[] = Object.values(TagKey);
  for (const [key, value] of Object.entries(tags?.more ?? {})) {
    const property = `tags.more.${key}`;
    checkValue(problems, property, value);
    problems.check(
      TAG_TEXT.test(key) && key.length <= 128 && !key.toLowerCase().startsWith('aws:'),
      property,
      key,
      'have a key of at most 128 letters, digits, spaces and _ . : / = + - @ that does not start with aws:',
      'AWS takes no others',
    );
    problems.check(!own.includes(key), property, value, 'not be given', 'this library sets it');
  }
}

function checkValue(problems: Problems, property: string, value: unknown): void {
  problems.check(
    typeof value === 'string' && value.length <= 256 && TAG_TEXT.test(value),
    property,
    value,
    'be 1 to 256 letters, digits, spaces and _ . : / = + - @',
    'costs are allocated by it, and AWS takes no other characters',
  );
}
