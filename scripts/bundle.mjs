// Bundles the programs that run in the cluster into bundles/: each as one file for Node 24, compressed, so that it fits
// into a ConfigMap. Constructs read them from there, in a checkout and in the published package alike.
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUNDLES = join(ROOT, 'bundles');
const PROGRAMS = ['gateway', 'cache', 'cost'];
/** Would be too large with its names as they are; keeping them beside short ones costs time wherever a function is made. */
const SHORTENED = new Set(['cost']);
const SLIM = join(ROOT, 'runtime', 'cost', 'export', 'slim');
/** What a program has in place of larger packages, so that it fits into a ConfigMap. */
const ALIASES = {
  // the client alone, without the commands of modules that nobody sends
  gateway: { redis: '@redis/client' },
  cache: { redis: '@redis/client' },
  cost: {
    yaml: join(SLIM, 'yaml.ts'),
    '@aws-sdk/credential-provider-node': join(SLIM, 'credentials.ts'),
    bowser: join(SLIM, 'nothing.ts'),
  },
};

/** Makes all bundles anew, which takes about two seconds. Others that read them meanwhile see the old or the new ones. */
export async function bundleAll() {
  mkdirSync(BUNDLES, { recursive: true });
  place('start.js', (draft) => copyFileSync(join(ROOT, 'runtime', 'start.js'), draft));
  for (const program of PROGRAMS) {
    const compressed = compress(await bundle(program));
    place(`${program}.br`, (draft) => writeFileSync(draft, compressed));
  }
}

/** One file with all that a program needs. */
async function bundle(program) {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'runtime', program, 'main.ts')],
    bundle: true,
    // names of errors are part of what is logged
    ...(SHORTENED.has(program) ? { minify: true, keepNames: true } : { minifySyntax: true, minifyWhitespace: true }),
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    alias: ALIASES[program],
    // native: a client that pg would prefer where it is installed, and what reads bills, in images that have it
    external: ['pg-native', '@duckdb/node-api'],
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
    absWorkingDir: ROOT,
  });
  return outputFiles[0].contents;
}

function compress(bytes) {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT, BROTLI_MAX_QUALITY } = constants;
  return brotliCompressSync(bytes, {
    params: {
      [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY,
      [BROTLI_PARAM_LGWIN]: 22,
      [BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

/** Puts a file in its place at once, and never half of it. */
function place(name, write) {
  const draft = join(BUNDLES, `${name}.${process.pid}`);
  write(draft);
  renameSync(draft, join(BUNDLES, name));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await bundleAll();
}
