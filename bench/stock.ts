/** The time of a synthesis against stock cdk8s, which is given the very same objects as plain JSON. */
import { ApiObject, App, Chart, type ApiObjectProps } from 'cdk8s';
import { deepStrictEqual } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { hospital } from './app';
import { measure, median, milliseconds, times } from './measure';

const SERVICES = 100;
const EXTENSION = '.k8s.yaml';

type Manifests = ReadonlyMap<string, readonly ApiObjectProps[]>;

function read(folder: string): Manifests {
  const objects = (file: string): ApiObjectProps[] =>
    parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => document.toJS() as ApiObjectProps);
  return new Map(readdirSync(folder).map((file) => [file.slice(0, -EXTENSION.length), objects(file)]));
}

function stock(outdir: string, manifests: Manifests): App {
  const app = new App({ outdir });
  for (const [id, objects] of manifests) {
    const chart = new Chart(app, id);
    objects.forEach((object, index) => new ApiObject(chart, `object-${index}`, object));
  }
  return app;
}

measure((outdir, rounds) => {
  const ours = (): void => hospital(outdir, SERVICES).synth();
  ours();
  const manifests = read(outdir);
  const theirs = (): void => stock(outdir, manifests).synth();
  theirs();
  deepStrictEqual(read(outdir), manifests, 'stock cdk8s must write the same objects');

  times(3, () => {
    ours();
    theirs();
  });
  const ratios: number[] = [];
  times(rounds, () => {
    const time = milliseconds(ours);
    ratios.push(time / milliseconds(theirs));
  });
  return { stock: median(ratios) };
});
