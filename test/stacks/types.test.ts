/** Types are those of @pulumi/kubernetes: its own classes say what they are called. */
import { apps, autoscaling, batch, core, networking, policy, rbac, scheduling } from '@pulumi/kubernetes';
import { ApiObject, App, Chart } from 'cdk8s';
import { ChartResources } from 'mediform/pulumi';
import { register } from './mock-engine';

const SCOPE = { apps, autoscaling, batch, core, networking, policy, rbac, scheduling };

/** Each class, by the API version and kind that it registers. */
function typesOfClasses(): Map<string, string> {
  const found = new Map<string, string>();
  for (const versions of Object.values(SCOPE)) {
    for (const classes of Object.values(versions)) {
      for (const [kind, value] of Object.entries(classes as object)) {
        const type = (value as { readonly __pulumiType?: string }).__pulumiType;
        if (type !== undefined && !/(List|Patch)$/.test(kind)) {
          const [, apiVersion = ''] = type.split(':');
          found.set(`${apiVersion.replace('core/', '')} ${kind}`, type);
        }
      }
    }
  }
  return found;
}

it('are the same', async () => {
  const types = typesOfClasses();
  expect([...types]).toEqual(
    expect.arrayContaining([
      ['apps/v1 Deployment', 'kubernetes:apps/v1:Deployment'],
      ['v1 ConfigMap', 'kubernetes:core/v1:ConfigMap'],
    ]),
  );
  const app = new App();
  const chart = new Chart(app, 'all');
  for (const name of types.keys()) {
    const [apiVersion = '', kind = ''] = name.split(' ');
    // the same kind in two versions is one object
    const metadata = { name: name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-') };
    new ApiObject(chart, name.replaceAll('/', '-'), { apiVersion, kind, metadata });
  }
  const all = await register(() => new ChartResources('all', { charts: app }));
  const registered = all.flatMap(({ type, inputs: { apiVersion, kind } }) =>
    kind === undefined ? [] : [[`${apiVersion} ${kind}`, type]],
  );
  expect(new Map(registered as [string, string][])).toEqual(types);
});
