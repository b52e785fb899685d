import { describeLateValues } from './late-values';

/**
 * Bad input, found while planning. Every line of `problems` reads
 * `'property' (value) must ... because ...`; constructs prefix them with their path.
 */
export class ConfigurationError extends Error {
  // private, so that Node does not print the problems a second time below the message
  readonly #problems: readonly string[];
  readonly #path?: string;

  constructor(problems: readonly string[], path?: string) {
    super(problems.map((problem) => (path ? `[${path}] ${problem}` : problem)).join('\n'));
    this.name = 'ConfigurationError';
    this.#problems = problems;
    this.#path = path;
  }

  /** One line for each wrong value, without the path. */
  public get problems(): readonly string[] {
    return this.#problems;
  }

  /** Path of the construct that was given the values, when there is one. */
  public get path(): string | undefined {
    return this.#path;
  }
}

/** Collects all that is wrong with one set of properties, so that it is told at once. */
export class Problems {
  private readonly found: string[] = [];

  /**
   * Records a problem unless `ok` holds.
   *
   * @param ok whether the value may stand
   * @param property name of the property as the user wrote it
   * @param value what the user gave
   * @param must the constraint, without the word "must"
   * @param because the reason for the constraint
   * @returns `ok`, so that dependent checks can be skipped
   */
  public check(ok: boolean, property: string, value: unknown, must: string, because: string): boolean {
    if (!ok) {
      this.found.push(`'${property}' (${describe(value)}) must ${must} because ${because}`);
    }
    return ok;
  }

  /** Records problem lines that another check found. */
  public add(problems: readonly string[]): void {
    this.found.push(...problems);
  }

  /** What was recorded so far. */
  public get list(): readonly string[] {
    return this.found;
  }

  /** Throws a `ConfigurationError` that lists everything recorded so far, if there is anything. */
  public throwIfAny(): void {
    if (this.found.length > 0) {
      throw new ConfigurationError(this.found);
    }
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') {
    return describeLateValues(value);
  }
  // JSON has no word for these, and String() has
  if (value === undefined || typeof value === 'number') {
    return String(value);
  }
  return describeLateValues(JSON.stringify(value));
}
