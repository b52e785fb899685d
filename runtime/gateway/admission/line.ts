/** Something that can stand in a line. */
export interface Standing {
  /** When it came, in milliseconds of some clock. */
  readonly arrivedAt: number;
  before?: this;
  after?: this;
}

/** A line ordered by arrival, from which anybody may walk away at no cost. */
export class Line<T extends Standing> {
  #first?: T;
  #last?: T;
  #length = 0;

  get first(): T | undefined {
    return this.#first;
  }

  get last(): T | undefined {
    return this.#last;
  }

  get length(): number {
    return this.#length;
  }

  /** Takes a place behind all that came no later. */
  join(item: T): void {
    let before = this.#last;
    while (before !== undefined && before.arrivedAt > item.arrivedAt) {
      before = before.before;
    }
    const after = before === undefined ? this.#first : before.after;
    this.#link(before, item);
    this.#link(item, after);
    this.#length++;
  }

  /** Gives up a place that `join` took. */
  leave(item: T): void {
    this.#link(item.before, item.after);
    item.before = undefined;
    item.after = undefined;
    this.#length--;
  }

  #link(before: T | undefined, after: T | undefined): void {
    if (before === undefined) {
      this.#first = after;
    } else {
      before.after = after;
    }
    if (after === undefined) {
      this.#last = before;
    } else {
      after.before = before;
    }
  }
}
