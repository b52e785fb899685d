import { readFileSync } from 'node:fs';

/** Reads a secret from a file; editors and templates end files with a line break, and no password does. */
export function readSecret(path: string): string {
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
}
