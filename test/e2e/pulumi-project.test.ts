/**
 * `pulumi up` of this repository, typed into a shell: Pulumi.yaml, the program and its configuration, on a real API
 * server. What the doubles of Pulumi's plugins do not prove stands in `support/pulumi/`.
 */
import { startCluster, type Cluster } from './support/cluster';
import { TestProject } from './support/pulumi/project';
import { describeWithPulumi } from './support/pulumi/suite';
import { synthExample } from './support/examples';
import type { KubeObject } from './support/kube-object';
import { BUILD_TIMEOUT_MS } from './support/suite';

describeWithPulumi('the hospital by pulumi up', () => {
  let cluster: Cluster;
  let project: TestProject;
  let golden: readonly KubeObject[];

  beforeAll(async () => {
    cluster = await startCluster();
    // Prometheus and its adapter are there before a hospital is
    await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'monitoring' } }]);
    golden = await synthExample('03-hospital');
    project = await TestProject.start(cluster);
    await project.run('stack', 'init', 'test');
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    project?.stop();
    await cluster?.stop();
  });

  it('says all that is wrong with the configuration, and makes nothing', async () => {
    await project.run('config', 'set', 'aws', 'ja');
    for (const command of ['preview', 'up']) {
      const { ok, output } = await project.run(command, ...(command === 'up' ? ['--yes', '--skip-preview'] : []));
      expect(ok).toBe(false);
      expect(output).toContain("'aws' (ja) must be true or false");
      expect(output).toContain("'secrets.results-redis.password' must be given because pods do not start without it");
      // the message alone, without the stack of the program
      expect(output).not.toContain('config.ts');
    }
    expect(project.provider.log).toEqual([]);
  }, 240_000);

  it('previews and deploys the hospital with the configuration that it asked for', async () => {
    await project.run('config', 'set', 'aws', 'false');
    const { output } = await project.run('preview');
    const asked = [...output.matchAll(/pulumi (config set --path)( --secret)? '([^']+)'/g)];
    expect(asked.length).toBeGreaterThan(5);
    for (const [, command = '', hidden = '', path = ''] of asked) {
      const args = [...command.split(' '), ...(hidden === '' ? [] : [hidden.trim()]), path, `value of ${path}`];
      expect(await project.run(...args)).toMatchObject({ ok: true });
    }

    const preview = await project.run('preview');
    expect(preview).toMatchObject({ ok: true });
    expect(project.provider.log).toEqual([]);

    expect(await project.run('up', '--yes', '--skip-preview', '--parallel=8')).toMatchObject({ ok: true });
    expect(await cluster.read(golden)).toHaveLength(golden.length);
    const password = Buffer.from('value of secrets.results-redis.password').toString('base64');
    expect(await cluster.get('secret', 'results-redis', 'imaging')).toMatchObject({ data: { password } });
  }, 240_000);

  it('runs its pods in namespaces that refuse less than "restricted"', async () => {
    expect(await cluster.get('namespace', 'imaging')).toMatchObject({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const deployments = golden.filter(({ kind }) => kind === 'Deployment');
    await cluster.waitFor('a pod of each Deployment', async () => {
      const pods = await cluster.list('pods');
      return deployments.every(({ metadata: { name, namespace } }) =>
        pods.some((pod) => pod.metadata.namespace === namespace && pod.metadata.name.startsWith(`${name}-`)),
      );
    });
  }, 180_000);

  it('has nothing to do a second time', async () => {
    const { ok, output } = await project.run('up', '--yes', '--skip-preview', '--expect-no-changes');
    expect({ ok, output }).toMatchObject({ ok: true, output: expect.stringMatching(/\d+ unchanged/) as unknown });
  }, 240_000);

  it('is destroyed without a trace', async () => {
    expect(await project.run('destroy', '--yes', '--skip-preview', '--parallel=8')).toMatchObject({ ok: true });
    expect(await cluster.read(golden)).toEqual([]);
    expect(await cluster.get('namespace', 'imaging')).toBeUndefined();
  }, 240_000);
});
