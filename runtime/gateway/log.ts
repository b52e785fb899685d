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
  readonly #base: string;
  #lines = '';
  #timer?: NodeJS.Timeout;
  #at = 0;
  #time = '';

  /**
   * @param write takes whole lines
   * @param base in every line
   */
  constructor(
    private readonly write: (lines: string) => void,
    base: LogFacts,
  ) {
    this.#base = JSON.stringify(base).slice(1, -1);
  }

  /** @param event one of our own words */
  line(level: LogLevel, event: string, facts: LogFacts = {}): void {
    const now = Date.now();
    if (now !== this.#at) {
      this.#at = now;
      this.#time = new Date(now).toISOString();
    }
    const rest = JSON.stringify(facts).slice(1);
    const comma = rest === '}' ? '' : ',';
    this.#lines += `{"time":"${this.#time}","level":"${level}","event":"${event}",${this.#base}${comma}${rest}\n`;
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
