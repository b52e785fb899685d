/** The programs that reach the cluster in ConfigMaps. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_STORED_BYTES, programConfigMap, type Program } from '../constructs/plan/programs';

const BUNDLES = join(__dirname, '../bundles');
const PROGRAMS = readdirSync(BUNDLES).flatMap((file) => /^(\w+)\.br$/.exec(file)?.[1] ?? []) as Program[];

test.each(PROGRAMS)(
  '%s is stored in less than what a client-side apply takes, all of its object together',
  (program) => {
    const start = readFileSync(join(BUNDLES, 'start.js'), 'utf8');
    const compressed = readFileSync(join(BUNDLES, `${program}.br`));
    const object = programConfigMap(program, 'a-namespace-of-a-hospital', { start, compressed });
    expect(JSON.stringify(object).length).toBeLessThanOrEqual(MAX_STORED_BYTES);
  },
);

test('there are three', () => {
  expect(PROGRAMS.sort()).toEqual(['cache', 'cost', 'gateway']);
});
