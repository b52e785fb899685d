/** The memory that type-checking a user's program takes, against a bound. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../programs';

const ROOT = join(__dirname, '../..');
const FOLDER = join(ROOT, 'dist/bench/type-check');
const BOUND_MB = 300;

/** Programs, each with an import more. */
const PROGRAMS: { readonly [what: string]: string } = {
  'mediform/pulumi': `
    import { App, Chart } from 'cdk8s';
    import { Output } from '@pulumi/pulumi';
    import { MedicalInferenceService } from 'mediform';
    import { ChartResources, asString } from 'mediform/pulumi';
    declare const bucket: Output<string>;
    const app = new App();
    const chart = new Chart(app, 'imaging', { namespace: 'imaging' });
    new MedicalInferenceService(chart, 'ct', {
      image: 'registry.example/ct:1',
      model: { name: 'resnet50', version: '1', source: \`s3://\${asString(bucket)}/resnet50\` },
    });
    export const hospital = new ChartResources('hospital', { charts: app });`,
  'mediform/pulumi and mediform/aws': `
    import { App, Chart } from 'cdk8s';
    import { Accelerator, GpuNodePool, MedicalInferenceService } from 'mediform';
    import { AwsPlatform, serviceTags } from 'mediform/aws';
    import { ChartResources, asString } from 'mediform/pulumi';
    const tags = { environment: 'production', costCentre: 'radiology' };
    const app = new App();
    const chart = new Chart(app, 'imaging', { namespace: 'imaging' });
    const pool = new GpuNodePool(chart, 'gpu', {
      cluster: { name: 'prod', nodeRole: 'prod-nodes' },
      accelerators: [Accelerator.A10G],
      maxGpus: 20,
      tags: serviceTags(tags, 'node-pools'),
    });
    const platform = new AwsPlatform('prod', {
      tags,
      clusterName: 'prod',
      pools: [{ provisioner: 'karpenter', spec: pool.spec }],
      costExport: { budget: { monthlyUsd: 20_000, alarmEmails: ['ops@hospital.example'] } },
    });
    new MedicalInferenceService(chart, 'ct', {
      image: 'registry.example/ct:1',
      model: { name: 'resnet50', version: '1' },
      env: { CLUSTER: asString(platform.cluster.clusterName) },
    });
    const options = { provider: platform.kubernetes, dependsOn: [...platform.ready] };
    export const hospital = new ChartResources('hospital', { charts: app, checkDefinitions: false }, options);`,
};

/** Memory in units of the bound, so that 1 is all that a program may take. */
export function typeCheckRows(): Row[] {
  mkdirSync(FOLDER, { recursive: true });
  return Object.entries(PROGRAMS).map(([what, source], index) => ({
    what: `memory to type-check ${what}`,
    against: `${BOUND_MB} MB`,
    ratio: megabytes(source, `program-${index}`) / BOUND_MB,
    bound: 1,
  }));
}

function megabytes(source: string, name: string): number {
  writeFileSync(join(FOLDER, `${name}.ts`), source);
  const compilerOptions = {
    strict: true,
    target: 'es2022',
    module: 'node16',
    types: [],
    noEmit: true,
    skipLibCheck: true,
  };
  writeFileSync(join(FOLDER, `${name}.json`), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
  const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', `${name}.json`, '--extendedDiagnostics'];
  const output = execFileSync(process.execPath, args, { cwd: FOLDER, encoding: 'utf8' });
  return Number(/Memory used:\s+(\d+)K/.exec(output)?.[1]) / 1000;
}
