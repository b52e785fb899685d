import * as pulumi from '@pulumi/pulumi';
import type { KubeObject } from '../../constructs/testing';

/** What the engine was asked to register or read. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly inputs: KubeObject & { readonly [field: string]: unknown };
  /** Names of the resources that come before. */
  readonly dependsOn: readonly string[];
  readonly parent: string;
  readonly provider: string;
  readonly createTimeout: string;
  readonly secretOutputs: readonly string[];
  /** Id of what is only read. */
  readonly readId?: string;
}

/** The gRPC requests, of which the mocks show a part only. */
interface Request {
  readonly getType: () => string;
  readonly getName: () => string;
  readonly getParent: () => string;
  readonly getProvider: () => string;
  readonly getDependenciesList: () => string[];
  readonly getCustomtimeouts?: () => { readonly getCreate: () => string } | undefined;
  readonly getAdditionalsecretoutputsList: () => string[];
  readonly getObject?: () => Struct;
  readonly getProperties?: () => Struct;
  readonly getId?: () => string;
}
interface Struct {
  readonly toJavaScript: () => Registration['inputs'];
}
type Method = (request: Request, callback: unknown) => Promise<void>;

/** Wraps a secret on the wire. */
const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

/**
 * Runs a Pulumi program against mocks, and gives what it registered, in that order. A component has no inputs.
 *
 * @param preview whether the ids and outputs of resources are not known yet
 */
export async function register(program: () => unknown, preview = false): Promise<Registration[]> {
  const registrations: Registration[] = [];
  const state = ({ inputs, name, id }: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult => ({
    id: id === undefined || id === '' ? `id of ${name}` : id,
    state: inputs as pulumi.Inputs,
  });
  await pulumi.runtime.setMocks(
    { newResource: state, call: ({ inputs }) => inputs as object },
    'test',
    'mocks',
    preview,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: Method; readResource: Method };
  for (const method of ['registerResource', 'readResource'] as const) {
    const original = monitor[method].bind(monitor);
    monitor[method] = (request, callback) => {
      registrations.push(registrationOf(request));
      return original(request, callback);
    };
  }
  await pulumi.runtime.runInPulumiStack(() => Promise.resolve(program()));
  await pulumi.runtime.disconnect();
  return registrations.filter(({ type }) => type !== pulumi.runtime.rootPulumiStackTypeName);
}

/** The one registration of a type and name. */
export function find(registrations: readonly Registration[], type: string, name: string): Registration {
  const found = registrations.filter((registration) => registration.type === type && registration.name === name);
  expect(found).toHaveLength(1);
  return found[0] as Registration;
}

/** What a value is on the wire where it is a secret. */
export function secretOf(value: unknown): object {
  return { [SIGNATURE]: SECRET, value };
}

function registrationOf(request: Request): Registration {
  const nameOf = (urn: string): string => urn.split('::').at(-1) ?? '';
  const id = request.getId?.();
  return {
    type: request.getType(),
    name: request.getName(),
    inputs: (request.getObject ?? request.getProperties)?.call(request).toJavaScript() as Registration['inputs'],
    dependsOn: request.getDependenciesList().map(nameOf),
    parent: nameOf(request.getParent()),
    provider: request.getProvider(),
    createTimeout: request.getCustomtimeouts?.()?.getCreate() ?? '',
    secretOutputs: request.getAdditionalsecretoutputsList(),
    ...(id !== undefined && { readId: id }),
  };
}
