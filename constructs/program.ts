import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { AppFacts } from './app-facts';
import { kubeObject } from './kube-object';
import { programConfigMap, type Bundle, type Program } from './plan/programs';

const bundles = new Map<Program, Bundle>();

/**
 * Puts a program into a namespace, once for all its users there.
 *
 * @returns name of the ConfigMap
 * @throws Error where the program was not bundled
 */
export function provideProgram(scope: IConstruct, program: Program, namespace: string): string {
  const { programs } = AppFacts.of(scope);
  const key = `${namespace}/${program}`;
  let name = programs.get(key);
  if (name === undefined) {
    const manifest = programConfigMap(program, namespace, bundleOf(program));
    name = manifest.metadata.name;
    programs.set(key, name);
    kubeObject(Chart.of(scope), `mediform-${program}-${namespace}`, manifest);
  }
  return name;
}

/** Read when the first construct needs it: many apps need none. */
function bundleOf(program: Program): Bundle {
  let bundle = bundles.get(program);
  if (bundle === undefined) {
    const folder = join(packageFolder(), 'bundles');
    const compressed = join(folder, `${program}.br`);
    if (!existsSync(compressed)) {
      throw new Error(
        `${compressed} is missing: the published package has it, and in a checkout \`npm run bundle\` makes it`,
      );
    }
    bundle = { start: readFileSync(join(folder, 'start.js'), 'utf8'), compressed: readFileSync(compressed) };
    bundles.set(program, bundle);
  }
  return bundle;
}

/** Sources and compiled files are not equally far below it. */
function packageFolder(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    folder = dirname(folder);
  }
  return folder;
}
