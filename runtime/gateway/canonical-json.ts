/** Deeper JSON is not brought into canonical form. */
const MAX_DEPTH = 64;

const SPACE = /[ \t\n\r]*/y;
// eslint-disable-next-line no-control-regex -- JSON forbids them in strings
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** JSON that servers may read differently, or none at all. */
class Ambiguous extends Error {}

/**
 * One form for all ways to write the same JSON: members in order, no white space, the shortest escapes. Numbers stay as
 * they are written, since servers tell 1 from 1.0.
 *
 * @param textFields JSON pointers of strings that are normalised as texts
 * @returns undefined where it is no JSON, or JSON that servers read differently (members of one name)
 */
export function canonicalJson(text: string, textFields: readonly string[] = []): string | undefined {
  try {
    const reader = new Reader(text, new Set(textFields));
    const canonical = reader.value('', 0);
    reader.end();
    return canonical;
  } catch (error) {
    if (error instanceof Ambiguous) {
      return undefined;
    }
    throw error;
  }
}

/** A text in Unicode NFC, without white space at its ends and with single spaces inside. */
export function canonicalText(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}

class Reader {
  #at = 0;

  constructor(
    private readonly text: string,
    private readonly textFields: ReadonlySet<string>,
  ) {}

  value(pointer: string, depth: number): string {
    if (depth > MAX_DEPTH) {
      throw new Ambiguous();
    }
    this.#match(SPACE);
    switch (this.text[this.#at]) {
      case '{':
        return this.#object(pointer, depth);
      case '[':
        return this.#array(pointer, depth);
      case '"': {
        const string = this.#string();
        return JSON.stringify(this.textFields.has(pointer) ? canonicalText(string) : string);
      }
      default:
        return this.#match(SCALAR);
    }
  }

  end(): void {
    this.#match(SPACE);
    if (this.#at !== this.text.length) {
      throw new Ambiguous();
    }
  }

  #object(pointer: string, depth: number): string {
    const members = new Map<string, string>();
    this.#list('}', () => {
      this.#match(SPACE);
      const name = this.#string();
      this.#match(SPACE);
      this.#expect(':');
      if (members.has(name)) {
        throw new Ambiguous();
      }
      const part = name.replaceAll('~', '~0').replaceAll('/', '~1');
      members.set(name, this.value(`${pointer}/${part}`, depth + 1));
    });
    const names = [...members.keys()].sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${members.get(name) as string}`).join(',')}}`;
  }

  #array(pointer: string, depth: number): string {
    const items: string[] = [];
    this.#list(']', () => items.push(this.value(`${pointer}/${items.length}`, depth + 1)));
    return `[${items.join(',')}]`;
  }

  #list(closing: string, item: () => void): void {
    this.#at++;
    this.#match(SPACE);
    if (this.text[this.#at] === closing) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#match(SPACE);
      if (this.text[this.#at] === closing) {
        this.#at++;
        return;
      }
      this.#expect(',');
    }
  }

  #string(): string {
    return JSON.parse(this.#match(STRING)) as string;
  }

  #expect(character: string): void {
    if (this.text[this.#at] !== character) {
      throw new Ambiguous();
    }
    this.#at++;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match === null) {
      throw new Ambiguous();
    }
    this.#at = pattern.lastIndex;
    return match[0];
  }
}
