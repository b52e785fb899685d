interface Node<V> {
  readonly key: string;
  value: V;
  bytes: number;
  visited: boolean;
  /** Towards the head: inserted later. */
  newer: Node<V> | undefined;
  /** Towards the tail: inserted earlier. */
  older: Node<V> | undefined;
}

/**
 * A map that gives up what is worth least when it is full, by SIEVE (Zhang et al., NSDI 2024): entries stay in the order of
 * their insertion, a hit only marks them, and a hand that wanders from old to new removes the first without a mark. A scan
 * passes through without washing out what is asked for again and again.
 */
export class Sieve<V> {
  private readonly nodes = new Map<string, Node<V>>();
  private head: Node<V> | undefined;
  private tail: Node<V> | undefined;
  private hand: Node<V> | undefined;
  private held = 0;

  /**
   * @param maxBytes what the entries' sizes may add up to
   * @param onRemove told of every entry that goes: for room, or because it was deleted or replaced
   */
  constructor(
    private readonly maxBytes: number,
    private readonly onRemove: (value: V, bytes: number, evicted: boolean) => void = () => undefined,
  ) {}

  get size(): number {
    return this.nodes.size;
  }

  get bytes(): number {
    return this.held;
  }

  get(key: string): V | undefined {
    const node = this.nodes.get(key);
    if (node === undefined) {
      return undefined;
    }
    node.visited = true;
    return node.value;
  }

  /** Keeps a value, unless it alone is larger than all there may be. An earlier one under the same key goes either way. */
  set(key: string, value: V, bytes: number): boolean {
    this.delete(key);
    if (bytes > this.maxBytes) {
      return false;
    }
    while (this.held + bytes > this.maxBytes) {
      this.evict();
    }
    const node: Node<V> = { key, value, bytes, visited: false, newer: undefined, older: this.head };
    if (this.head !== undefined) {
      this.head.newer = node;
    }
    this.head = node;
    this.tail ??= node;
    this.nodes.set(key, node);
    this.held += bytes;
    return true;
  }

  delete(key: string): boolean {
    const node = this.nodes.get(key);
    if (node === undefined) {
      return false;
    }
    this.remove(node, false);
    return true;
  }

  clear(): void {
    for (const node of this.nodes.values()) {
      this.remove(node, false);
    }
  }

  /** All entries, from the oldest; the one that was just given may be deleted. Marks nothing. */
  *entries(): Generator<readonly [string, V]> {
    for (const { key, value } of this.nodes.values()) {
      yield [key, value];
    }
  }

  private evict(): void {
    let node = this.hand ?? this.tail;
    while (node?.visited) {
      node.visited = false;
      node = node.newer ?? this.tail;
    }
    if (node !== undefined) {
      this.hand = node.newer;
      this.remove(node, true);
    }
  }

  private remove(node: Node<V>, evicted: boolean): void {
    if (this.hand === node) {
      this.hand = node.newer;
    }
    if (node.newer === undefined) {
      this.head = node.older;
    } else {
      node.newer.older = node.older;
    }
    if (node.older === undefined) {
      this.tail = node.newer;
    } else {
      node.older.newer = node.newer;
    }
    this.nodes.delete(node.key);
    this.held -= node.bytes;
    this.onRemove(node.value, node.bytes, evicted);
  }
}
