/** What the measuring programs share. Each runs in plain Node on the compiled library, and prints one line of JSON. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createMedicalCache, type CacheConfig, type CacheQuery, type MedicalCache } from 'mediform/cache';
import { Registry } from 'prom-client';

/** What a program is told. */
export interface Setting {
  readonly redis: NonNullable<CacheConfig['redis']>;
  readonly keyRingFile: string;
  /** Rounds to take the median of. */
  readonly rounds: number;
  /** Length of the load under which memory is watched. */
  readonly seconds: number;
}

export function openCache({ keyRingFile, redis }: Setting, more: Partial<CacheConfig> = {}): Promise<MedicalCache> {
  return createMedicalCache(
    { namespace: 'bench', keyRingFile, redis, ...more },
    { registry: new Registry(), log: () => undefined },
  );
}

export function query(index: number): CacheQuery {
  return { content: `image ${index}`, model: 'resnet50', modelVersion: '1.0.0', preprocessingVersion: '1' };
}

/** A diagnosis as a model server answers it: JSON of about so many bytes, which compresses as such texts do. */
export function body(bytes: number): Buffer {
  const findings = [];
  let length = 2;
  for (let index = 0; length < bytes; index++) {
    const finding = `{"label":"finding-${index}","probability":${Math.sin(index) ** 2},"box":[${index},${index * 3},${index * 7}]}`;
    findings.push(finding);
    length += finding.length + 1;
  }
  return Buffer.from(`[${findings.join()}]`);
}

/** Calls a second of some asynchronous work, a number of calls at a time. */
export async function perSecond(
  calls: number,
  atATime: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  global.gc?.();
  // promises that are settled leave the event loop no turn, and a cache that hears nothing serves nothing
  await sleep(20);
  const start = performance.now();
  const worker = async (first: number): Promise<void> => {
    for (let index = first; index < calls; index += atATime) {
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: atATime }, (_, index) => worker(index)));
  return (calls * 1000) / (performance.now() - start);
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** Runs a program, prints its figures, and ends, whatever its clients still wait for. */
export function measure(program: (setting: Setting) => Promise<{ readonly [figure: string]: number }>): void {
  program(JSON.parse(process.argv[2] ?? '{}') as Setting).then(
    (figures) => {
      process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
