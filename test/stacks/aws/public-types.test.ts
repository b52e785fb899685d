/** Whoever imports `mediform/aws` pays for the types that its declarations name: those of @pulumi/aws cost twice the rest. */
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '../../..');

/** Declarations of the library, as the package has them, by the path of their source. */
function declarations(entry: string): Map<string, string> {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.build.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const program = ts.createProgram([join(ROOT, entry)], { ...options, emitDeclarationOnly: true });
  const emitted = new Map<string, string>();
  program.emit(undefined, (path, text) => emitted.set(relative(join(ROOT, 'lib'), path).replace(/\.d\.ts$/, ''), text));
  return emitted;
}

test('declarations of mediform/aws name no type of @pulumi/aws or @pulumi/kubernetes', () => {
  const emitted = declarations('stacks/aws/index.ts');
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) {
      return;
    }
    seen.add(path);
    const text = emitted.get(path);
    expect({ path, text }).toEqual({ path, text: expect.any(String) as string });
    for (const [, from = ''] of text?.matchAll(/(?:from |import\()['"]([^'"]+)['"]/g) ?? []) {
      if (from.startsWith('.')) {
        visit(join(dirname(path), from));
      } else {
        packages.add(from);
      }
    }
  };
  visit('stacks/aws/index');
  expect(seen).toContain('stacks/aws/network/network');
  expect([...packages].filter((name) => name !== 'decimal.js')).toEqual(['@pulumi/pulumi']);
}, 120_000);
