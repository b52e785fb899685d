import type { GatewayPlan } from '../../constructs/plan/gateway/defaults';

/** Longer answers, and longer lines of streams, are not searched. */
const MAX_BYTES = 1024 * 1024;
const NEWLINE = 10;

/** Tokens of one answer. */
export interface TokenUsage {
  readonly input: number;
  readonly output: number;
}

/** Where to look for the tokens, made ready once. */
export class UsagePointers {
  readonly input: readonly (readonly string[])[];
  readonly output: readonly (readonly string[])[];
  /** Text that is there where any of the pointers leads anywhere. */
  readonly marks: readonly Buffer[];

  constructor({ input, output }: GatewayPlan['tokenUsage']) {
    this.input = input.map(parts);
    this.output = output.map(parts);
    const last = [...this.input, ...this.output].map((pointer) => JSON.stringify(pointer.at(-1)));
    this.marks = [...new Set(last)].map((mark) => Buffer.from(mark));
  }
}

/** Finds the tokens that an answer says it took, while it passes by. */
export class UsageScanner {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #input?: number;
  #output?: number;

  /** @param lines whether it is a stream of lines (server-sent events or JSON lines), or else one JSON */
  private constructor(
    private readonly pointers: UsagePointers,
    private readonly lines: boolean,
  ) {}

  /** @returns undefined where answers of such a type say nothing of tokens */
  static for(contentType: string | undefined, pointers: UsagePointers): UsageScanner | undefined {
    const type = contentType?.split(';')[0]?.trim().toLowerCase();
    switch (type) {
      case 'text/event-stream':
      case 'application/x-ndjson':
      case 'application/jsonl':
        return new UsageScanner(pointers, true);
      default:
        return type === 'application/json' || type?.endsWith('+json') === true
          ? new UsageScanner(pointers, false)
          : undefined;
    }
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = this.lines ? rest.indexOf(NEWLINE) : -1; end !== -1; end = rest.indexOf(NEWLINE)) {
      this.#hold(rest.subarray(0, end));
      this.#search();
      rest = rest.subarray(end + 1);
    }
    this.#hold(rest);
  }

  /** What the answer said; undefined where it said nothing. */
  end(): TokenUsage | undefined {
    this.#search();
    return this.#input === undefined && this.#output === undefined
      ? undefined
      : { input: this.#input ?? 0, output: this.#output ?? 0 };
  }

  #hold(piece: Buffer): void {
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes <= MAX_BYTES) {
      this.#pending.push(piece);
    } else {
      this.#pending = [];
    }
  }

  #search(): void {
    const text = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (!this.pointers.marks.some((mark) => text.includes(mark))) {
      return;
    }
    const json = parse(text.toString().replace(/^data:/, ''));
    // streams report more than once, and the last report is the sum
    this.#input = lookUp(json, this.pointers.input) ?? this.#input;
    this.#output = lookUp(json, this.pointers.output) ?? this.#output;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // no JSON says nothing
    return undefined;
  }
}

/** The parts of a JSON pointer (RFC 6901). */
export function parts(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function lookUp(json: unknown, pointers: readonly (readonly string[])[]): number | undefined {
  for (const pointer of pointers) {
    let at: unknown = json;
    for (const part of pointer) {
      at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as never)[part] : undefined;
    }
    if (typeof at === 'number' && at >= 0 && Number.isFinite(at)) {
      return at;
    }
  }
  return undefined;
}
