import { App, Chart, Testing } from 'cdk8s';
import { AppFacts } from '../constructs/app-facts';
import { GpuNodePool, type GpuNodePoolProps } from '../constructs/gpu-node-pool';
import { NodePool, type NodePoolProps } from '../constructs/node-pool';
import { SpotBatchPool, type SpotBatchPoolProps } from '../constructs/spot-batch-pool';

const cluster = { name: 'hospital' };
const gpu: GpuNodePoolProps = { cluster, accelerators: ['l4'], maxGpus: 16 };
const cpu: NodePoolProps = { cluster, type: 'compute-optimized', maxCpu: 64 };
const batch: SpotBatchPoolProps = { cluster, maxCpu: 64 };

describe('pools of one app', () => {
  test('are known to it by path', () => {
    const chart = Testing.chart();
    const pool = new GpuNodePool(chart, 'gpu', gpu);
    const spot = new SpotBatchPool(chart, 'spot', batch);
    expect([...AppFacts.of(chart).nodePools]).toEqual([
      ['test/gpu', pool.spec],
      ['test/spot', spot.spec],
    ]);
  });

  test('must not share a name in one cluster', () => {
    const app = new App();
    const first = new Chart(app, 'a');
    const second = new Chart(app, 'b');
    new GpuNodePool(first, 'pool', gpu);
    new NodePool(second, 'pool', cpu);
    new SpotBatchPool(second, 'other', { ...batch, name: 'pool' });
    const because = `'name' (pool) must be unique in its cluster because a/pool makes objects of that name`;
    expect(() => {
      app.synthYaml();
    }).toThrow(`Validation failed with the following errors:\n  [b/pool] ${because}\n  [b/other] ${because}`);
  });

  test('may share a name in different clusters', () => {
    const app = new App();
    new NodePool(new Chart(app, 'a'), 'pool', cpu);
    new NodePool(new Chart(app, 'b'), 'pool', { ...cpu, cluster: { name: 'research' } });
    expect(app.synthYaml()).toContain('research');
  });
});
