/** What the measuring programs share. Each runs in plain Node on the compiled library, and prints one line of JSON. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Results of a program, by their names. */
interface Figures {
  readonly [figure: string]: number;
}

/** Milliseconds that some work takes. Garbage of earlier work is collected before, and not charged to it. */
export function milliseconds(work: () => void): number {
  global.gc?.();
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** As `milliseconds`, of work that ends later. */
export async function millisecondsAsync(work: () => Promise<unknown>): Promise<number> {
  global.gc?.();
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Calls some work several times. */
export function times(count: number, work: () => void): void {
  for (let time = 0; time < count; time++) {
    work();
  }
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** Runs a program with a temporary folder, and with the number of rounds from the command line; prints its results. */
export function measure(program: (outdir: string, rounds: number) => Figures): void {
  const outdir = mkdtempSync(join(tmpdir(), 'mediform-bench-'));
  try {
    console.log(JSON.stringify(program(outdir, Number(process.argv[2]))));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** As `measure`, of a program that ends later. */
export async function measureAsync(program: (outdir: string, rounds: number) => Promise<Figures>): Promise<void> {
  const outdir = mkdtempSync(join(tmpdir(), 'mediform-bench-'));
  try {
    console.log(JSON.stringify(await program(outdir, Number(process.argv[2]))));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
