/** What a line of the log may say. Never a body, a path, a query, a header's value or an identifier. */
export interface LogFacts {
  readonly [fact: string]: string | number | boolean | undefined;
}

/** Severity of a line. */
export type LogLevel = 'info' | 'warn' | 'error';

/** Lines are gathered until there are so many characters, or so many milliseconds have passed. */
const FLUSH_CHARACTERS = 65_536;
const FLUSH_MS = 100;

/** JSON lines, gathered so that a request does not wait for the terminal. */
export class Log {
  #lines = '';
  #timer?: NodeJS.Timeout;

  /**
   * @param write takes whole lines
   * @param base in every line
   */
  constructor(
    private readonly write: (lines: string) => void,
    private readonly base: LogFacts,
  ) {}

  line(level: LogLevel, event: string, facts: LogFacts = {}): void {
    this.#lines += `${JSON.stringify({ time: new Date().toISOString(), level, event, ...this.base, ...facts })}\n`;
    if (level === 'error' || this.#lines.length >= FLUSH_CHARACTERS) {
      this.flush();
    } else {
      this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
    }
  }

  /** Writes what was gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') {
      this.write(lines);
    }
  }
}
