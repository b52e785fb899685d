/** What only the whole app can tell: reported together, with paths, before anything is written. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Chart, Duration, JsonPatch } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  NodePool,
  PriorityClasses,
  SpotBatchPool,
} from '../constructs';
import { CPU_SERVICE, GPU_SERVICE } from './support/app';

const cluster = { name: 'test' };
const outdir = mkdtempSync(join(tmpdir(), 'mediform-'));

function app(): { app: App; chart: Chart } {
  const root = new App({ outdir });
  return { app: root, chart: new Chart(root, 'imaging', { namespace: 'imaging' }) };
}

function lateErrors(root: App): string[] {
  try {
    root.synth();
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

afterEach(() => {
  expect(readdirSync(outdir)).toEqual([]);
});

afterAll(() => rmSync(outdir, { recursive: true }));

it('tells all of them at once, each with its path', () => {
  const { app: root, chart } = app();
  new MedicalInferenceService(chart, 'a', { ...GPU_SERVICE, name: 'same' });
  new MedicalInferenceService(chart, 'b', { ...GPU_SERVICE, name: 'same' });
  new PriorityClasses(chart, 'one');
  new PriorityClasses(chart, 'two');
  const broken = new MedicalInferenceService(chart, 'c', GPU_SERVICE);
  broken.deployment.addJsonPatch(JsonPatch.replace('/spec/nothing/there', 1));
  const errors = lateErrors(root);
  expect(errors).toHaveLength(3);
  expect(errors).toEqual(
    expect.arrayContaining([
      "[imaging/b] 'name' (imaging/same) must be unique in its namespace because imaging/a makes objects of that name",
      "[imaging/two] 'PriorityClasses' (two) must be defined once in an app because imaging/one defines the same objects, and a cluster has one default priority",
      expect.stringContaining("[imaging/c/Deployment] Failed serializing construct at path 'imaging/c/Deployment'"),
    ]),
  );
});

describe('placement', () => {
  it('refuses a service whose pods no pool takes, and says why each does not', () => {
    const { app: root, chart } = app();
    new GpuNodePool(chart, 'emergency', {
      cluster,
      accelerators: [Accelerator.A10G],
      maxGpus: 32,
      reservedFor: 'emergency',
    });
    new GpuNodePool(chart, 'l4', { cluster, accelerators: [Accelerator.L4], maxGpus: 32 });
    new GpuNodePool(chart, 'sliced', {
      cluster,
      accelerators: [Accelerator.A10G],
      maxGpus: 32,
      sharing: { mode: 'time-slicing', replicas: 4 },
    });
    new NodePool(chart, 'compute', { cluster, type: 'compute-optimized', maxCpu: 64 });
    new SpotBatchPool(chart, 'spot', { cluster, accelerators: [Accelerator.A10G], maxGpus: 32 });
    new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, gpu: { accelerator: Accelerator.A10G } });
    expect(lateErrors(root)).toEqual([
      `[imaging/ct] 'nodeSelector' ({"accelerator":"nvidia-gpu","karpenter.k8s.aws/instance-gpu-name":"a10g"}) must fit a node pool of the app because its pods would wait for ever (${[
        'emergency: takes emergency work only',
        'l4: has no nodes with karpenter.k8s.aws/instance-gpu-name=a10g',
        'sliced: has the taint mediform.io/gpu-sharing=time-slicing-4',
        'compute: has no nodes with accelerator=nvidia-gpu',
        'spot: takes batch work only',
      ].join('; ')}); set checkNodePools to false where the pool is defined elsewhere`,
    ]);
  });

  it('refuses batch work without a batch pool', () => {
    const { app: root, chart } = app();
    new GpuNodePool(chart, 'gpu', { cluster, accelerators: [Accelerator.T4], maxGpus: 32 });
    new MedicalInferenceService(chart, 'night', { ...GPU_SERVICE, priority: 'batch' });
    expect(lateErrors(root)).toEqual([expect.stringContaining('gpu: takes emergency and normal work only')]);
  });

  it('refuses replicas that the GPU limits can never hold', () => {
    const { app: root, chart } = app();
    new GpuNodePool(chart, 'gpu', { cluster, accelerators: [Accelerator.A10G], maxGpus: 16 });
    new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, gpu: { count: 2 } });
    expect(lateErrors(root)).toEqual([
      "[imaging/ct] 'scaling.maxReplicas' (20) must be at most 8 because the GPU limits of gpu end there",
    ]);
  });

  it('refuses a pool that takes its nodes back before the model is loaded or the last request answered', () => {
    const { app: root, chart } = app();
    new NodePool(chart, 'compute', {
      cluster,
      type: 'compute-optimized',
      maxCpu: 64,
      consolidateAfter: Duration.minutes(1),
      terminationGracePeriod: Duration.seconds(30),
    });
    new MedicalInferenceService(chart, 'search', CPU_SERVICE);
    expect(lateErrors(root)).toEqual([
      "[imaging/search] 'modelLoadTime' (300 s) must be at most 'consolidateAfter' of pool compute (60 s) because the node could be consolidated away before the model is loaded",
      "[imaging/search] 'terminationGracePeriod' (75 s) must be at most 'terminationGracePeriod' of pool compute (30 s) because the node would go before the last request is answered",
    ]);
  });

  it('asks nothing of apps without pools, or where it is turned off', () => {
    const { app: root, chart } = app();
    new MedicalInferenceService(chart, 'ct', GPU_SERVICE);
    expect(root.synthYaml()).toContain('kind: Deployment');

    const other = app();
    new NodePool(other.chart, 'compute', { cluster, type: 'compute-optimized', maxCpu: 64 });
    new MedicalInferenceService(other.chart, 'ct', { ...GPU_SERVICE, checkNodePools: false });
    expect(other.app.synthYaml()).toContain('kind: Deployment');
  });

  it('lets several pools share a service, and counts parts of GPUs', () => {
    const { app: root, chart } = app();
    const sharing = { mode: 'mig', profile: '1g.10gb' } as const;
    new GpuNodePool(chart, 'mig', { cluster, accelerators: [Accelerator.H100], maxGpus: 3, sharing });
    new MedicalInferenceService(chart, 'ct', {
      ...GPU_SERVICE,
      gpu: { accelerator: Accelerator.H100, sharing },
      scaling: { maxReplicas: 21 },
    });
    expect(root.synthYaml()).toContain('maxReplicas: 21');
  });
});
