/**
 * Values that only the deployment knows, such as the address of a database that it makes. Plans see a placeholder in
 * their place: text that goes where text is taken, and fits wherever any text does. Whoever deploys puts the value in.
 */

/**
 * Letters and digits pass wherever text does, as a host or a label too. The large ones do not in names of objects, and
 * may be small again after a URL was parsed.
 */
const PLACEHOLDER = /LateValue(\d+)Unresolved/gi;

/** How errors show a late value. */
export const LATE = '<known only when deployed>';

/** The text that stands for a value. */
export function latePlaceholder(id: number): string {
  return `LateValue${id}Unresolved`;
}

/** Text cut into what is plain (at even places) and the numbers of the values between (at odd ones). */
export function splitAtPlaceholders(text: string): readonly string[] {
  return text.split(PLACEHOLDER);
}

/** Text for people, with `LATE` in the place of each value. */
export function describeLateValues(text: string): string {
  return splitAtPlaceholders(text)
    .map((part, index) => (index % 2 === 0 ? part : LATE))
    .join('');
}

/**
 * Problems of properties that hold a Pulumi `Output` itself, at any depth. A plan calculates with numbers and looks at
 * text, neither of which an Output has yet.
 */
export function lateValueProblems(props: unknown, path = ''): string[] {
  if (typeof props !== 'object' || props === null) {
    return [];
  }
  if ((props as { readonly __pulumiOutput?: unknown }).__pulumiOutput === true) {
    const because = 'all is planned before anything is deployed; where text is taken, asString(output) stands for it';
    return [`'${path}' (${LATE}) must be a plain value because ${because}`];
  }
  // durations, sizes and constructs are values of their own
  if (!Array.isArray(props) && Object.getPrototypeOf(props) !== Object.prototype) {
    return [];
  }
  return Object.entries(props).flatMap(([key, value]) =>
    lateValueProblems(value, path === '' ? key : `${path}.${key}`),
  );
}
