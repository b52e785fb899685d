import { createHash } from 'node:crypto';

/** A short name for a content: what refers to it changes with it. */
export function contentHash(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    // lengths keep ('ab', 'c') and ('a', 'bc') apart
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest('hex').slice(0, 10);
}
