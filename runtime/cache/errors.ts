/** An invalidation that is not in force everywhere. Holds no identifier. */
export class InvalidationError extends Error {
  /**
   * @param recorded logs that have it: processes that reach one of them obey it
   * @param missing logs that do not have it yet
   */
  constructor(
    readonly recorded: readonly string[],
    readonly missing: readonly string[],
    cause: unknown,
  ) {
    super(
      recorded.length === 0
        ? `nothing was invalidated: no log of invalidations took it (${missing.join(', ')}); try again`
        : `invalidated as far as ${recorded.join(', ')} is reached, but not announced on ${missing.join(', ')} yet: ` +
            'that is tried again until it succeeds or this process ends; try again to be sure',
      { cause },
    );
    this.name = 'InvalidationError';
  }
}
