/** Every TypeScript block of the documentation compiles and runs, and every relative link leads somewhere. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '..');

/** A fenced block. `ts no-run` is type-checked only: it needs what is not there, such as a cluster or a test runner. */
interface Block {
  readonly file: string;
  /** Line of the file on which the code starts. */
  readonly line: number;
  readonly code: string;
  readonly run: boolean;
}

const FENCE = /^([ \t]*)(`{3,}|~{3,})[ \t]*([^\n`]*)\n(.*?)^[ \t]*\2[`~]*[ \t]*$/gms;

function tsBlocks(file: string, markdown: string): Block[] {
  return [...markdown.matchAll(FENCE)].flatMap(({ index, 1: indent = '', 3: info = '', 4: body = '' }) => {
    const [language = '', ...flags] = info.trim().split(/\s+/);
    const line = markdown.slice(0, index).split('\n').length + 1;
    const code = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    return /^(ts|typescript)$/i.test(language) ? [{ file, line, code, run: !flags.includes('no-run') }] : [];
  });
}

/** Targets of links and images that are files of the repository; without code, where nothing is a link. */
function relativeLinks(markdown: string): string[] {
  const text = markdown.replaceAll(FENCE, '').replaceAll(/`[^`\n]*`/g, 'code');
  const inline = [...text.matchAll(/\]\(\s*<?([^\s)>]+)>?[^)]*\)/g)];
  const references = [...text.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm)];
  return [...inline, ...references]
    .map(([, target = '']) => decodeURI(target.replace(/#.*$/s, '')))
    .filter((target) => target !== '' && !/^([a-z][a-z+.-]*:|\/\/)/i.test(target));
}

/** What the compiler has to say on each block, all in one program; lines are those of the Markdown file. */
function typeErrors(blocks: readonly Block[], folder: string): string[][] {
  const config = ts.getParsedCommandLineOfConfigFile(join(ROOT, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
    },
  });
  // an example shows how to make a thing, not always what to do with it
  const unused = { noUnusedLocals: false, noUnusedParameters: false };
  const options = { ...config?.options, ...unused, moduleDetection: ts.ModuleDetectionKind.Force };
  const names = blocks.map((_, index) => blockPath(folder, index));
  const program = ts.createProgram(names, options);
  return blocks.map(({ file, line }, index) => {
    const source = program.getSourceFile(names[index] ?? '');
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const inBlock = source?.getLineAndCharacterOfPosition(start).line ?? 0;
      return `${file}:${line + inBlock} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

/** Runs all blocks in one fresh process, one after the other; returns what each threw. */
function runErrors(blocks: readonly Block[], folder: string): string[][] {
  const paths = blocks.map(({ run }, index) => (run ? blockPath(folder, index) : undefined));
  const runner = join(folder, 'runner.cjs');
  writeFileSync(
    runner,
    `const { mkdirSync, writeFileSync } = require('node:fs');
    const results = ${JSON.stringify(paths)}.map((path, index) => {
      process.env.CDK8S_OUTDIR = ${JSON.stringify(join(folder, 'out-'))} + index;
      try {
        if (path) require(path);
        return [];
      } catch (error) {
        return [String(error?.stack ?? error)];
      }
    });
    writeFileSync(${JSON.stringify(join(folder, 'results.json'))}, JSON.stringify(results));`,
  );
  execFileSync(process.execPath, ['--import', 'tsx', runner], { cwd: ROOT, stdio: 'pipe', encoding: 'utf8' });
  const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as string[][];
  return results.map((errors, index) =>
    errors.map((error) => `${blocks[index]?.file}:${blocks[index]?.line} ${error}`),
  );
}

function blockPath(folder: string, index: number): string {
  return join(folder, `block-${index}.ts`);
}

const documents = new Map(
  [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map(inDocs),
  ]
    .filter((file) => file.endsWith('.md') && existsSync(join(ROOT, file)))
    .map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
);

function inDocs(file: string): string {
  return join('docs', file);
}

/** A document of broken blocks: a check that lets one of them pass checks nothing. */
const BROKEN = `
Good, and only checked:

\`\`\`ts no-run
const never: number = Number(process.exit(1));
\`\`\`

- does not compile:

  \`\`\`ts
  import { Priority } from 'mediform';
  const urgent: Priority = 'urgent';
  \`\`\`

Does not run:

\`\`\`ts
import { parsePriority } from 'mediform';
parsePriority('urgent');
\`\`\`

See [one](README.md#top), [none](docs/none.md), [the web](https://example.com/) and [above](#top).
`;

const ofDocuments = [...documents].flatMap(([file, markdown]) => tsBlocks(file, markdown));
const blocks = [...ofDocuments, ...tsBlocks('broken.md', BROKEN)];
let compiled: string[][];
let ran: string[][];

beforeAll(() => {
  // below the project, so that its packages and its tsconfig's paths are found
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'dist/docs-'));
  try {
    blocks.forEach(({ code }, index) => writeFileSync(blockPath(folder, index), code));
    compiled = typeErrors(blocks, folder);
    ran = runErrors(blocks, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);

test('README.md has TypeScript to check', () => {
  expect(ofDocuments.filter(({ file }) => file === 'README.md').length).toBeGreaterThan(0);
});

for (const [index, { file, line, run }] of ofDocuments.entries()) {
  test(`${file}:${line} compiles${run ? ' and runs' : ''}`, () => {
    expect([...(compiled[index] ?? ['not checked']), ...(ran[index] ?? ['not run'])]).toEqual([]);
  });
}

for (const [file, markdown] of documents) {
  test(`links of ${file} lead to files`, () => {
    expect(missingFiles(file, markdown)).toEqual([]);
  });
}

test('a broken block and a broken link are found, by line', () => {
  const [good, types, throws] = [ofDocuments.length, ofDocuments.length + 1, ofDocuments.length + 2];
  expect([compiled[good], ran[good]]).toEqual([[], []]);
  expect(compiled[types]).toEqual([expect.stringMatching(/^broken\.md:12 Type '"urgent"' is not assignable/)]);
  expect(compiled[throws]).toEqual([]);
  expect(ran[throws]).toEqual([expect.stringMatching(/^broken\.md:18 ConfigurationError: 'priority' \(urgent\) must/)]);
  expect(missingFiles('broken.md', BROKEN)).toEqual(['docs/none.md']);
});

function missingFiles(file: string, markdown: string): string[] {
  const path = (target: string): string =>
    target.startsWith('/') ? join(ROOT, target) : resolve(ROOT, dirname(file), target);
  return relativeLinks(markdown).filter((target) => !existsSync(path(target)));
}
