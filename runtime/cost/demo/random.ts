/** Numbers from 0 to 1 that look random and are the same for the same seed and name (mulberry32 over an FNV-1a hash). */
export function randomFor(seed: number, name: string): () => number {
  let state = seed >>> 0;
  for (const character of name) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number near 1: the mean of twelve uniform ones, so nearly normal, with the given standard deviation. */
export function around1(random: () => number, deviation: number): number {
  const sum = Array.from({ length: 12 }, random).reduce((total, each) => total + each, 0);
  return Math.max(0, 1 + (sum - 6) * deviation);
}
