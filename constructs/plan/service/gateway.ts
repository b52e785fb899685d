import type { ConfigMap } from '../../imports/config-map';
import type { Container, Probe, Volume } from '../../imports/k8s';
import { contentHash } from '../content-hash';
import { Problems } from '../errors';
import { checkGateway } from '../gateway/check';
import type { GatewayConfig } from '../gateway/config';
import { GATEWAY_DEFAULTS } from '../gateway/defaults';
import { AdminPath, CONFIG_PATH, CONFIG_VARIABLE } from '../gateway/names';
import { IMAGES } from '../images';
import { asJson, jsonFile } from '../json';
import { checkReference, projectedVolume, type MountedFile } from '../mounts';
import { containerSecurity } from '../pods';
import type { Priority } from '../priorities';
import { PROGRAM_MOUNT, programCommand, programVolume } from '../programs';
import { cpuQuantity, memoryQuantity } from '../quantities';
import { MOUNT } from '../tiered-cache/client';
import type { GatewayProps } from './gateway-props';
import type { MedicalInferenceServiceProps } from './props';

/** The gateway of a service, checked and with defaults. */
export interface GatewaySidecarPlan {
  readonly config: GatewayConfig;
  /** ConfigMap with `config`. Its name changes with its content, so that a change rolls out. */
  readonly configMap: string;
  readonly port: number;
  readonly adminPort: number;
  readonly image: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Files that `config` names. */
  readonly files: readonly MountedFile[];
}

/** What the gateway must know of its service. */
interface GatewayContext {
  readonly name: string;
  readonly namespace: string;
  readonly priority: Priority;
  /** Port of the model. */
  readonly port: number;
  readonly slowestSeconds: number;
}

/** Name of the container. */
export const GATEWAY_CONTAINER = 'gateway';
const CONFIG_KEY = 'config.json';
const MIB = 1024 * 1024;
/** Node itself, with the program and its connections. */
const BASE_MIB = 192;
/** Bodies and entries come and go faster than they are collected. */
const HEADROOM = 1.5;
const DEFAULT_HOT_MIB = 64;
const DEFAULT_CPU = 0.5;
const DISK_MIB = 64;

/** Where the properties of the gateway's own configuration come from, where they are not `gateway`'s of the same name. */
const ORIGINS: { readonly [property: string]: string } = {
  'listen.port': 'gateway.port',
  'admin.port': 'gateway.adminPort',
  'upstream.port': 'port',
  'upstream.readinessPath': 'probes.readiness',
  'timeouts.upstream': 'slowestRequest',
  'drain.timeout': 'slowestRequest',
  'listen.tls.clientAuthorityFile': 'gateway.tls.askForCertificates',
  cache: 'cache',
};

/** Plans the gateway of a service; undefined where there is none. */
export function planGatewaySidecar(
  problems: Problems,
  props: MedicalInferenceServiceProps,
  context: GatewayContext,
): GatewaySidecarPlan | undefined {
  if (props.gateway === 'off') {
    problems.check(
      props.cache === undefined,
      'cache',
      props.cache?.plan.name,
      "not be given with 'gateway' off",
      'it is the gateway that answers from it',
    );
    return undefined;
  }
  const gateway = props.gateway ?? {};
  const config = asJson(gatewayConfig(props, gateway, context));
  const found = new Problems();
  checkGateway(found, config);
  problems.add(found.list.map(asGiven));
  problems.check(
    props.containerName !== GATEWAY_CONTAINER,
    'containerName',
    props.containerName,
    `not be ${GATEWAY_CONTAINER}`,
    'the container before the model has that name',
  );
  problems.check(
    gateway.runtimeImage === undefined || /^\S+$/.test(gateway.runtimeImage),
    'gateway.runtimeImage',
    gateway.runtimeImage,
    'name an image',
    'there is nothing to run',
  );
  (gateway.trustedCallers ?? []).forEach(({ secret }, index) => {
    if (secret !== undefined) {
      checkReference(problems, `gateway.trustedCallers[${index}].secret`, secret);
    }
  });
  if (gateway.tls !== undefined) {
    checkReference(problems, 'gateway.tls', { secret: gateway.tls.secret, key: 'tls.crt' });
  }
  return {
    config,
    configMap: `${context.name}-gateway-${contentHash(jsonFile(config))}`,
    port: gateway.port ?? GATEWAY_DEFAULTS.listen.port,
    adminPort: gateway.adminPort ?? GATEWAY_DEFAULTS.admin.port,
    image: gateway.runtimeImage ?? IMAGES.node,
    files: gatewayFiles(props, gateway),
    ...planResources(problems, gateway, config),
  };
}

/** The ConfigMap of a gateway. */
export function gatewayConfigMap(
  { config, configMap }: GatewaySidecarPlan,
  namespace: string,
  labels: { readonly [label: string]: string },
): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMap, namespace, labels: { ...labels } },
    data: { [CONFIG_KEY]: jsonFile(config) },
  };
}

/** The container of a gateway. */
export function gatewayContainer(plan: GatewaySidecarPlan, deregistrationSeconds: number): Container {
  const probe = (path: string, rest: Omit<Probe, 'httpGet'>): Probe => ({
    httpGet: { path, port: 'admin' },
    periodSeconds: 10,
    ...rest,
  });
  const memory = memoryQuantity(plan.memoryMiB);
  return {
    name: GATEWAY_CONTAINER,
    image: plan.image,
    imagePullPolicy: 'IfNotPresent',
    command: [...programCommand()],
    env: [{ name: CONFIG_VARIABLE, value: CONFIG_PATH }],
    ports: [
      { name: 'gateway', containerPort: plan.port, protocol: 'TCP' },
      { name: 'admin', containerPort: plan.adminPort, protocol: 'TCP' },
    ],
    resources: {
      requests: { cpu: cpuQuantity(plan.cpu), memory, 'ephemeral-storage': memoryQuantity(DISK_MIB) },
      limits: { memory, 'ephemeral-storage': memoryQuantity(2 * DISK_MIB) },
    },
    readinessProbe: probe(AdminPath.READINESS, { timeoutSeconds: 3, failureThreshold: 2 }),
    livenessProbe: probe(AdminPath.LIVENESS, { timeoutSeconds: 5, failureThreshold: 6 }),
    lifecycle: { preStop: { sleep: { seconds: deregistrationSeconds } } },
    securityContext: containerSecurity(),
    volumeMounts: [
      { name: 'program', mountPath: PROGRAM_MOUNT, readOnly: true },
      { name: 'gateway', mountPath: MOUNT, readOnly: true },
    ],
  };
}

/** The volumes of a gateway: its program, and its configuration with the secrets that this names. */
export function gatewayVolumes({ configMap, files }: GatewaySidecarPlan, program: string): Volume[] {
  const config: MountedFile = { path: CONFIG_PATH, from: { configMap, key: CONFIG_KEY } };
  return [programVolume(program), projectedVolume('gateway', MOUNT, [config, ...files])];
}

function gatewayConfig(
  props: MedicalInferenceServiceProps,
  gateway: GatewayProps,
  { name, namespace, priority, port, slowestSeconds }: GatewayContext,
): GatewayConfig {
  const { model, cache, probes } = props;
  const { tls, trustedCallers, admission, routes, unmatched, body, tokenUsage, logRequests } = gateway;
  return {
    service: name,
    namespace,
    model: { name: model.name, version: model.version, preprocessingVersion: model.preprocessingVersion },
    upstream: { port, readinessPath: probes?.readiness },
    listen: {
      port: gateway.port ?? GATEWAY_DEFAULTS.listen.port,
      tls: tls && {
        certificateFile: tlsPath('tls.crt'),
        keyFile: tlsPath('tls.key'),
        clientAuthorityFile: tls.askForCertificates === true ? tlsPath('ca.crt') : undefined,
      },
    },
    admin: { port: gateway.adminPort ?? GATEWAY_DEFAULTS.admin.port },
    defaultPriority: gateway.defaultPriority ?? priority,
    trustedCallers: trustedCallers?.map(({ secret, ...caller }, index) => ({
      ...caller,
      secretFile: secret && callerPath(index),
    })),
    admission,
    routes,
    unmatched,
    body,
    timeouts: { ...gateway.timeouts, upstream: slowestSeconds },
    drain: { timeout: slowestSeconds },
    tokenUsage,
    logRequests,
    cache: cache?.plan.config,
  };
}

function gatewayFiles({ cache }: MedicalInferenceServiceProps, gateway: GatewayProps): MountedFile[] {
  const { trustedCallers = [], tls } = gateway;
  const tlsKeys = ['tls.crt', 'tls.key', ...(tls?.askForCertificates === true ? ['ca.crt'] : [])];
  return [
    ...trustedCallers.flatMap(({ secret }, index) =>
      secret === undefined ? [] : [{ path: callerPath(index), from: secret }],
    ),
    ...(tls === undefined ? [] : tlsKeys.map((key) => ({ path: tlsPath(key), from: { secret: tls.secret, key } }))),
    ...(cache?.plan.files ?? []),
  ];
}

function planResources(
  problems: Problems,
  gateway: GatewayProps,
  config: GatewayConfig,
): { readonly cpu: number; readonly memoryMiB: number } {
  const { cpu = DEFAULT_CPU, routes = [], memory } = gateway;
  problems.check(cpu >= 0.001, 'gateway.cpu', cpu, 'be at least 0.001 cores', 'Kubernetes counts in millicores');
  const buffersMiB = (config.body?.totalBufferBytes ?? GATEWAY_DEFAULTS.body.totalBufferBytes) / MIB;
  const caches = routes.some((route) => route.cache !== undefined);
  const hotMiB = caches ? (config.cache?.hot?.maxBytes ?? DEFAULT_HOT_MIB * MIB) / MIB : 0;
  const held = Math.ceil(hotMiB + buffersMiB);
  const memoryMiB = memory?.toMebibytes() ?? BASE_MIB + Math.ceil(HEADROOM * held);
  problems.check(
    memoryMiB >= BASE_MIB + held,
    'gateway.memory',
    `${memoryMiB} MiB`,
    `be at least ${BASE_MIB + held} MiB (${BASE_MIB} MiB, and ${held} MiB of bodies and entries)`,
    'the kernel would end it under load',
  );
  return { cpu, memoryMiB };
}

/** A problem of the gateway's configuration, in terms of the service's properties. */
function asGiven(problem: string): string {
  return problem.replace(/'([a-z][A-Za-z]*[A-Za-z0-9.[\]]*)'/g, (quoted, property: string) => {
    const [root = ''] = property.split(/[.[]/);
    if (ORIGINS[property] !== undefined) {
      return `'${ORIGINS[property]}'`;
    }
    return root === 'model' || !(root in GATEWAY_PROPERTIES) ? quoted : `'gateway.${property}'`;
  });
}

/** Words of the configuration that stand for `gateway`'s properties of the same name. */
const GATEWAY_PROPERTIES = {
  admission: true,
  body: true,
  defaultPriority: true,
  listen: true,
  routes: true,
  timeouts: true,
  tokenUsage: true,
  trustedCallers: true,
};

function tlsPath(file: string): string {
  return `${MOUNT}/tls/${file}`;
}

function callerPath(index: number): string {
  return `${MOUNT}/callers/${index}`;
}
