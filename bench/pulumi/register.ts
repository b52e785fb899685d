/** The time to register the objects of an app through the adapter, against the same as typed resources; on mocks. */
import { deepStrictEqual, ok } from 'node:assert';
import { apiextensions, apps, autoscaling, core, networking, policy, scheduling } from '@pulumi/kubernetes';
import { runtime, type CustomResource } from '@pulumi/pulumi';
import { ChartResources } from 'mediform/pulumi';
import { synthObjects, type KubeObject } from 'mediform/testing';
import { hospital } from '../app';
import { measureAsync, median, millisecondsAsync } from '../measure';

const OBJECTS = 1000;

type Class = new (name: string, inputs: object) => CustomResource;
const CLASSES = { core, apps, autoscaling, policy, 'networking.k8s.io': networking, 'scheduling.k8s.io': scheduling };

/** As a user would write it: a class of its own where @pulumi/kubernetes has one, else a CustomResource. */
function typedResource(object: KubeObject): void {
  const { apiVersion, kind, metadata } = object;
  const [version = '', group = 'core'] = apiVersion.split('/').reverse();
  const classes = CLASSES as unknown as { [group: string]: { [version: string]: { [kind: string]: Class } } };
  const Typed = classes[group]?.[version]?.[kind] ?? apiextensions.CustomResource;
  new Typed(`${metadata.namespace ?? ''}/${metadata.name}`, object);
}

function isRead(id: string | undefined): boolean {
  return id !== undefined && id !== '';
}

/** Runs a program until all is registered; how many Kubernetes objects that were. */
async function register(program: () => void): Promise<number> {
  let objects = 0;
  await runtime.setMocks({
    newResource: ({ name, type, inputs, id }) => {
      objects += type.startsWith('kubernetes:') && !isRead(id) ? 1 : 0;
      return { id: isRead(id) ? id : name, state: inputs as object };
    },
    call: ({ inputs }) => inputs as object,
  });
  program();
  await runtime.disconnect();
  return objects;
}

void measureAsync(async (outdir, rounds) => {
  const objectsOf = (services: number): readonly KubeObject[] => synthObjects(hospital(outdir, services));
  const [ten, twenty] = [objectsOf(10).length, objectsOf(20).length];
  const services = 10 + Math.ceil((OBJECTS - ten) / ((twenty - ten) / 10));
  const objects = objectsOf(services);
  ok(objects.length >= OBJECTS && objects.length < OBJECTS * 1.05, `${objects.length} objects`);

  const typed = (): Promise<number> => register(() => objects.forEach(typedResource));
  const prepared = (): (() => Promise<number>) => {
    const charts = hospital(outdir, services);
    return () => register(() => new ChartResources('hospital', { charts }));
  };
  const whole = (): Promise<number> => prepared()();

  deepStrictEqual([await typed(), await whole()], [objects.length, objects.length]);
  const ratios: { adapter: number[]; whole: number[] } = { adapter: [], whole: [] };
  for (let round = -1; round < rounds; round++) {
    const adapter = prepared();
    const ours = await millisecondsAsync(adapter);
    const all = await millisecondsAsync(whole);
    const theirs = await millisecondsAsync(typed);
    if (round >= 0) {
      ratios.adapter.push(ours / theirs);
      ratios.whole.push(all / theirs);
    }
  }
  return { adapter: median(ratios.adapter), whole: median(ratios.whole) };
});
