/** What a command has of the world, so that tests can give it another. */
export interface Io {
  /** Writes a result. */
  readonly out: (text: string) => void;
  /** Writes what is no result: progress, warnings, errors. */
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal, on which a line can be written anew. */
  readonly terminal: boolean;
  readonly now: () => Date;
}

/** How a command ended. */
export const ExitCode = {
  OK: 0,
  /** Something went wrong; a line on stderr says what. */
  FAILED: 1,
  /** The command line was wrong. */
  USAGE: 2,
  /** `--fail-over-budget`: the budget is passed. */
  OVER_BUDGET: 3,
} as const;

/** Progress on stderr: a bar on a terminal, a line for each step elsewhere. */
export class Progress {
  private done = 0;

  constructor(
    private readonly io: Io,
    private readonly total: number,
  ) {}

  /** Tells that a step is done, or worked on. */
  step(what: string): void {
    this.done += 1;
    const { io, total, done } = this;
    if (!io.terminal) {
      io.err(`${what}\n`);
      return;
    }
    const width = 30;
    const filled = Math.min(width, Math.round((done / Math.max(1, total)) * width));
    const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
    // back to the start of the line, and away with what was there
    io.err(done >= total ? '\r\u001B[K' : `\r\u001B[K${bar} ${done}/${total} ${what}`);
  }
}
