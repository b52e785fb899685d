/** `npm ci` refuses a lock file that misses a package for any platform, on every platform. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Lock {
  readonly packages: { readonly [path: string]: LockedPackage };
}

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: { readonly [name: string]: string };
}

const { packages } = JSON.parse(readFileSync(join(__dirname, '../../package-lock.json'), 'utf8')) as Lock;

it('holds every optional package', () => {
  const locked = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)));
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !locked.has(name));
  expect(locked.size).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

it('names no download address', () => {
  expect(Object.values(packages).filter(({ resolved }) => resolved?.startsWith('http'))).toEqual([]);
});
