import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtime } from '@pulumi/pulumi';

/** Properties of a resource, as they reach the provider; secrets are unwrapped. */
export interface Properties {
  readonly [property: string]: unknown;
}

/** A resource that a program registered. */
export interface RecordedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** False for components. */
  readonly custom: boolean;
  readonly inputs: Properties;
  /** Top-level properties that hold a secret. */
  readonly secrets: readonly string[];
  readonly parent: string;
  /** URNs of all that is created before it: explicit dependencies and those of its properties. */
  readonly dependencies: readonly string[];
  readonly protect: boolean;
  /** Properties whose changes the engine overlooks. */
  readonly ignoreChanges: readonly string[];
  /** `urn::id` of an explicit provider; empty for the default one. */
  readonly provider: string;
}

/** All that a program registered, in order. */
export interface Graph {
  readonly resources: readonly RecordedResource[];
  /** All of a type. */
  ofType(type: string): RecordedResource[];
  /** The only one of a type, or the only one of that type and name. */
  only(type: string, name?: string): RecordedResource;
}

export const MOCK_ACCOUNT = '123456789012';
export const MOCK_REGION = 'eu-central-1';

/** What the mocked provider answers besides the inputs. */
export interface MockOptions {
  /** Outputs by type token; they replace the generic ones. */
  readonly outputs?: { readonly [type: string]: (name: string, inputs: Properties) => Properties };
  /** Results of provider functions by token; they replace the known ones. */
  readonly calls?: { readonly [token: string]: Properties };
}

const CALLS: { readonly [token: string]: Properties } = {
  'aws:index/getCallerIdentity:getCallerIdentity': { accountId: MOCK_ACCOUNT },
  'aws:index/getRegion:getRegion': { region: MOCK_REGION },
  'aws:index/getPartition:getPartition': { partition: 'aws', dnsSuffix: 'amazonaws.com' },
  'aws:index/getAvailabilityZones:getAvailabilityZones': {
    names: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
  },
};

const OUTPUTS: NonNullable<MockOptions['outputs']> = {
  'aws:ec2/launchTemplate:LaunchTemplate': () => ({ latestVersion: 1 }),
  'aws:eks/cluster:Cluster': (name, { vpcConfig }) => ({
    vpcConfig: { ...(vpcConfig as Properties), clusterSecurityGroupId: `${name}-nodes` },
    endpoint: `https://${name}.eks.amazonaws.com`,
    certificateAuthority: { data: 'Y2VydGlmaWNhdGU=' },
    identities: [{ oidcs: [{ issuer: `https://oidc.eks.amazonaws.com/id/${name}` }] }],
  }),
};

/**
 * Runs a program on mocks: no engine, no provider, no account. Pulumi keeps mocks for a whole process: runs of one file
 * follow each other, and jest gives every file a module registry of its own.
 *
 * @throws what the program threw, or what a registration failed with
 */
export async function recordGraph(program: () => unknown, options: MockOptions = {}): Promise<Graph> {
  const resources: RecordedResource[] = [];
  await runtime.setMocks(
    {
      call: ({ token }) => {
        const result = options.calls?.[token] ?? CALLS[token];
        if (result === undefined) {
          throw new Error(`no result is mocked for ${token}`);
        }
        return result;
      },
      newResource: ({ type, name, inputs }) => {
        const given = unwrap(inputs) as Properties;
        const outputs = (options.outputs?.[type] ?? OUTPUTS[type])?.(name, given);
        return { id: `${name}-id`, state: { arn: arn(type, name), name, ...given, ...outputs } };
      },
    },
    'mediform',
    'test',
  );
  record(resources);
  try {
    await program();
  } finally {
    await runtime.disconnect();
  }
  const ofType = (type: string): RecordedResource[] => resources.filter((resource) => resource.type === type);
  return {
    resources,
    ofType,
    only: (type, name) => {
      const found = ofType(type).filter((resource) => name === undefined || resource.name === name);
      if (found.length !== 1 || found[0] === undefined) {
        const names = ofType(type).map((resource) => resource.name);
        throw new Error(`${found.length} of ${type} ${name ?? ''} among ${names.join(', ')}`);
      }
      return found[0];
    },
  };
}

/** Whether a type of the AWS provider takes tags, by the declaration of its arguments in @pulumi/aws. */
export function isTaggable(type: string): boolean {
  const [provider, module = '', name = ''] = type.split(':');
  if (provider !== 'aws') {
    return false;
  }
  const file = join(__dirname, '../../node_modules/@pulumi/aws', `${module}.d.ts`);
  if (!existsSync(file)) {
    throw new Error(`@pulumi/aws declares nothing for ${type}`);
  }
  const [, args] = readFileSync(file, 'utf8').split(`export interface ${name}Args {`);
  if (args === undefined) {
    throw new Error(`@pulumi/aws declares no arguments of ${type}`);
  }
  return /^ {4}tags\??:/m.test(args.slice(0, args.indexOf('\n}')));
}

/** URNs of all that takes tags and lacks one of these. */
export function untagged({ resources }: Graph, tags: Properties): string[] {
  return resources
    .filter(({ type, inputs }) => {
      const given = inputs.tags as Properties | undefined;
      return isTaggable(type) && Object.entries(tags).some(([key, value]) => given?.[key] !== value);
    })
    .map(({ urn }) => urn);
}

/** URNs along a dependency cycle, parents included; undefined where there is none. */
export function findCycle({ resources }: Graph): readonly string[] | undefined {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const done = new Set<string>();
  const visit = (urn: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(urn)) {
      return [...path.slice(path.indexOf(urn)), urn];
    }
    const resource = byUrn.get(urn);
    if (resource === undefined || done.has(urn)) {
      return undefined;
    }
    for (const next of [...resource.dependencies, ...(resource.parent === '' ? [] : [resource.parent])]) {
      const cycle = visit(next, [...path, urn]);
      if (cycle !== undefined) {
        return cycle;
      }
    }
    done.add(urn);
    return undefined;
  };
  for (const { urn } of resources) {
    const cycle = visit(urn, []);
    if (cycle !== undefined) {
      return cycle;
    }
  }
  return undefined;
}

/** Notes what the engine would be told of each resource: mocks are given the inputs alone. */
function record(resources: RecordedResource[]): void {
  const monitor = runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (response !== undefined) {
        const inputs = runtime.deserializeProperties(request.getObject());
        resources.push({
          urn: response.getUrn(),
          type: request.getType(),
          name: request.getName(),
          custom: request.getCustom(),
          inputs: unwrap(inputs) as Properties,
          secrets: Object.keys(inputs).filter((property) => holdsSecret(inputs[property])),
          parent: request.getParent(),
          dependencies: request.getDependenciesList(),
          protect: request.getProtect(),
          ignoreChanges: request.getIgnorechangesList(),
          provider: request.getProvider(),
        });
      }
      callback(error, response);
    });
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getObject(): Parameters<typeof runtime.deserializeProperties>[0];
  getParent(): string;
  getDependenciesList(): string[];
  getProtect(): boolean;
  getIgnorechangesList(): string[];
  getProvider(): string;
}

type Callback = (error: unknown, response: { getUrn(): string } | undefined) => void;

interface Monitor {
  registerResource: (request: RegisterRequest, callback: Callback) => Promise<void>;
}

function arn(type: string, name: string): string {
  const service = type.split(':')[1]?.split('/')[0] ?? 'unknown';
  return `arn:aws:${service}:${MOCK_REGION}:${MOCK_ACCOUNT}:${name}`;
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  return runtime.isRpcSecret(value) || Object.values(value).some(holdsSecret);
}

function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (runtime.isRpcSecret(value)) {
    return unwrap(runtime.unwrapRpcSecret(value));
  }
  return Array.isArray(value)
    ? value.map(unwrap)
    : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}
