import type { ApiObject, App, Chart } from 'cdk8s';
import { RunError, secret, type CustomResourceOptions, type Inputs } from '@pulumi/pulumi';
import { groupOf, identityProblems, renderManifests, type KubeObject, type Manifest } from './manifests';
import { inOrder } from './order';
import { withOutputs } from './outputs';

/** One object, ready to be registered. */
export interface ResourcePlan extends Manifest {
  /** Canonical type token, such as `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  /** Namespace and name; stays as it is wherever the object is defined. */
  readonly name: string;
  readonly inputs: Inputs;
  readonly options: CustomResourceOptions;
  /** Objects that come before. */
  readonly after: readonly ApiObject[];
}

/** Fields of a Secret that nobody may read. */
const SECRET_FIELDS = ['data', 'stringData'];

/** How long Pulumi waits for a roll-out where nothing else is said, and what it gets over the roll-out's own deadline. */
const DEFAULT_TIMEOUT_SECONDS = 600;
const TIMEOUT_MARGIN_SECONDS = 60;

/**
 * Plans the resources of charts, in the order in which they can be registered.
 *
 * @throws RunError, or cdk8s's own error, that lists all that is wrong
 */
export function planResources(charts: App | Chart): ResourcePlan[] {
  const manifests = renderManifests(charts);
  const problems = identityProblems(manifests);
  const inputs = new Map(
    manifests.map(({ object, json }) => {
      const found: string[] = [];
      const restored = withOutputs(json, '', found) as Inputs;
      problems.push(...found.map((problem) => `[${object.node.path}] ${problem}`));
      return [object, restored];
    }),
  );
  if (problems.length > 0) {
    throw new RunError(`the charts cannot become resources:\n  ${problems.join('\n  ')}`);
  }
  return inOrder(manifests).map((step) => ({
    ...step,
    type: typeOf(step.json),
    name: [step.json.metadata.namespace ?? [], step.json.metadata.name].flat().join('/'),
    inputs: withSecrets(step.json, inputs.get(step.object) as Inputs),
    options: optionsOf(step.json),
  }));
}

function typeOf({ apiVersion, kind }: KubeObject): string {
  return `kubernetes:${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** What a Secret holds is one, wherever it came from. */
function withSecrets(json: KubeObject, inputs: Inputs): Inputs {
  const fields = isSecret(json) ? SECRET_FIELDS.filter((field) => field in inputs) : [];
  const hidden: Inputs = Object.fromEntries(fields.map((field) => [field, secret<unknown>(inputs[field])]));
  return { ...inputs, ...hidden };
}

function isSecret(json: KubeObject): boolean {
  return json.kind === 'Secret' && groupOf(json) === '';
}

function optionsOf(json: KubeObject): CustomResourceOptions {
  return { ...(isSecret(json) && { additionalSecretOutputs: SECRET_FIELDS }), ...timeoutsOf(json) };
}

/** Models load for longer than Pulumi waits by default; Kubernetes knows how long. */
function timeoutsOf(json: KubeObject): CustomResourceOptions {
  const { progressDeadlineSeconds: deadline } = (json.spec ?? {}) as { readonly progressDeadlineSeconds?: unknown };
  const seconds = typeof deadline === 'number' ? deadline + TIMEOUT_MARGIN_SECONDS : 0;
  const isSaid = 'pulumi.com/timeoutSeconds' in (json.metadata.annotations ?? {});
  if (json.kind !== 'Deployment' || seconds <= DEFAULT_TIMEOUT_SECONDS || isSaid) {
    return {};
  }
  return { customTimeouts: { create: `${seconds}s`, update: `${seconds}s` } };
}
