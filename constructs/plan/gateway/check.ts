import { isIP } from 'node:net';
import type { Problems } from '../errors';
import { PRIORITY_CLASSES, unknownPriority, type Priority } from '../priorities';
import type { GatewayConfig, RouteConfig, TrustedCaller } from './config';
import { planAdmission, planGateway, type GatewayPlan } from './defaults';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const POINTER = /^(\/([^~/]|~[01])*)+$/;
const SEGMENT = /^[A-Za-z0-9\-._~!$&'()+,;=:@]*$/;
const CLASSES = ['emergency', 'normal', 'batch'] as const;

/** Checks what a configuration says, and what it says together. */
export function checkGateway(problems: Problems, config: GatewayConfig): void {
  const plan = planGateway(config);
  for (const [property, value] of [
    ['service', config.service],
    ['namespace', config.namespace],
    ['model.name', config.model.name],
    ['model.version', config.model.version],
  ] as const) {
    problems.check(/^\S+$/.test(value), property, value, 'be a name without spaces', 'metrics and cache keys hold it');
  }
  checkPorts(problems, plan);
  checkAdmission(problems, config);
  checkPriority(problems, 'defaultPriority', config.defaultPriority);
  (config.trustedCallers ?? []).forEach((caller, index) => {
    checkCaller(problems, `trustedCallers[${index}]`, caller, config);
  });
  (config.routes ?? []).forEach((route, index) => checkRoute(problems, `routes[${index}]`, route, config));
  problems.check(
    config.cache === undefined || plan.routes.some(({ cache }) => cache !== undefined),
    'cache',
    config.cache?.namespace,
    "not be given unless a route has a 'cache'",
    'nothing would ever be looked up in it',
  );
  checkSizes(problems, plan);
  for (const direction of ['input', 'output'] as const) {
    checkPointers(problems, `tokenUsage.${direction}`, plan.tokenUsage[direction]);
  }
}

function checkPorts(problems: Problems, { listen, admin, upstream }: GatewayPlan): void {
  const ports = { 'listen.port': listen.port, 'admin.port': admin.port, 'upstream.port': upstream.port };
  for (const [property, port] of Object.entries(ports)) {
    const lowest = property === 'upstream.port' ? 1 : 1024;
    problems.check(
      Number.isInteger(port) && port >= lowest && port <= 65_535,
      property,
      port,
      `be a whole number from ${lowest} to 65535`,
      'it is a TCP port, and a process without privileges cannot listen under 1024',
    );
  }
  problems.check(
    new Set(Object.values(ports)).size === 3,
    'listen.port',
    listen.port,
    `differ from 'admin.port' (${admin.port}) and 'upstream.port' (${upstream.port}), and they from each other`,
    'containers of a pod share their ports, and a route of the model must not shadow a health check',
  );
  problems.check(
    upstream.readinessPath.startsWith('/'),
    'upstream.readinessPath',
    upstream.readinessPath,
    'start with /',
    'it is a path',
  );
}

function checkAdmission(problems: Problems, config: GatewayConfig): void {
  const plan = planAdmission(config.admission ?? {});
  const count = (property: string, value: number, lowest: number): boolean =>
    problems.check(
      Number.isInteger(value) && value >= lowest,
      property,
      value,
      `be a whole number of at least ${lowest}`,
      'it counts requests',
    );
  count('admission.queueLength', plan.queueLength, 0);
  positive(problems, 'admission.batchAgeing', plan.batchAgeing, 'a batch request that never ages could wait for ever');
  const { concurrency: places, reserve } = plan;
  if (!count('admission.concurrency', places, 1) || !count('admission.reserve', reserve, 0)) {
    return;
  }
  const some = problems.check(
    reserve < places,
    'admission.reserve',
    reserve,
    `be less than 'admission.concurrency' (${places})`,
    'nothing but emergencies would ever run',
  );
  if (!some) {
    return;
  }
  let above: { readonly property: string; readonly concurrency: number } = {
    property: 'admission.concurrency',
    concurrency: places,
  };
  for (const priority of CLASSES) {
    const property = `admission.classes.${priority}`;
    const { concurrency, queueLength, maxWait } = plan.classes[priority];
    count(`${property}.queueLength`, queueLength, 0);
    positive(problems, `${property}.maxWait`, maxWait, 'nothing could wait at all');
    if (count(`${property}.concurrency`, concurrency, 1)) {
      problems.check(
        concurrency <= above.concurrency,
        `${property}.concurrency`,
        concurrency,
        `be at most '${above.property}' (${above.concurrency})`,
        'less urgent requests never get more places than more urgent ones',
      );
    }
    above = { property: `${property}.concurrency`, concurrency };
  }
  const { normal } = plan.classes;
  problems.check(
    normal.concurrency <= places - reserve,
    'admission.classes.normal.concurrency',
    normal.concurrency,
    `be at most 'admission.concurrency' less 'admission.reserve' (${places - reserve})`,
    'the reserve is free for emergencies',
  );
}

function checkPriority(problems: Problems, property: string, priority: Priority | undefined): void {
  if (priority !== undefined && !Object.hasOwn(PRIORITY_CLASSES, priority)) {
    problems.add([unknownPriority(property, priority)]);
  }
}

function checkCaller(problems: Problems, property: string, caller: TrustedCaller, config: GatewayConfig): void {
  const { cidrs, secretFile, certificateNames, priorities } = caller;
  problems.check(
    cidrs !== undefined || secretFile !== undefined || certificateNames !== undefined,
    property,
    caller,
    'name cidrs, a secretFile or certificateNames',
    'else everybody would be trusted',
  );
  for (const cidr of cidrs ?? []) {
    problems.check(
      isCidr(cidr),
      `${property}.cidrs`,
      cidr,
      'be an address and a prefix length, such as 10.0.0.0/16',
      'addresses are matched against it',
    );
  }
  problems.check(
    secretFile === undefined || secretFile.startsWith('/'),
    `${property}.secretFile`,
    secretFile,
    'be an absolute path',
    'secrets are mounted files, never values',
  );
  problems.check(
    certificateNames === undefined || config.listen?.tls?.clientAuthorityFile !== undefined,
    `${property}.certificateNames`,
    certificateNames,
    "not be given without 'listen.tls.clientAuthorityFile'",
    'nobody would vouch for the certificates',
  );
  for (const priority of priorities ?? []) {
    checkPriority(problems, `${property}.priorities`, priority);
  }
}

function checkRoute(problems: Problems, property: string, route: RouteConfig, config: GatewayConfig): void {
  problems.check(
    isPattern(route.path),
    `${property}.path`,
    route.path,
    'be a path such as /v1/diagnose, /v1/*/infer or /v1/**',
    'a * stands for one whole segment, ** for all that follow, and requests are matched in their plain form',
  );
  for (const method of route.methods ?? []) {
    problems.check(
      /^[A-Z]+$/.test(method) && method !== 'CONNECT' && method !== 'TRACE',
      `${property}.methods`,
      method,
      'be a method in capital letters, neither CONNECT nor TRACE',
      'methods are case-sensitive, and those two are refused always',
    );
  }
  checkPriority(problems, `${property}.priority`, route.priority);
  if (route.maxBodyBytes !== undefined) {
    positive(problems, `${property}.maxBodyBytes`, route.maxBodyBytes, 'no body would be small enough');
  }
  const { cache } = route;
  if (cache === undefined) {
    return;
  }
  problems.check(
    config.model.preprocessingVersion !== undefined,
    'model.preprocessingVersion',
    config.model.preprocessingVersion,
    `be given with '${property}.cache'`,
    'it is a part of every cache key, and a key is never guessed',
  );
  problems.check(
    (cache.textFields ?? []).length === 0 || (cache.key ?? (cache.kind === 'knowledge' ? 'json' : 'body')) === 'json',
    `${property}.cache.textFields`,
    cache.textFields,
    "not be given unless the key is 'json'",
    'they are strings of a JSON body',
  );
  checkPointers(problems, `${property}.cache.textFields`, cache.textFields ?? []);
  const headers = [
    ...(cache.headers ?? []),
    ...(cache.responseHeaders ?? []),
    ...(cache.idHeaders ?? []),
    cache.tenantHeader ?? [],
  ].flat();
  for (const header of headers) {
    problems.check(TOKEN.test(header), `${property}.cache`, header, 'be the name of a header', 'it is looked for');
  }
  for (const name of ['ttl', 'maxResponseBytes'] as const) {
    const value = cache[name];
    if (value !== undefined) {
      positive(problems, `${property}.cache.${name}`, value, 'no answer could be kept');
    }
  }
}

function checkSizes(problems: Problems, { body, timeouts, drain, listen }: GatewayPlan): void {
  for (const [section, values] of Object.entries({ body, timeouts, drain })) {
    for (const [name, value] of Object.entries(values)) {
      positive(problems, `${section}.${name}`, value, 'it is a bound');
    }
  }
  positive(problems, 'listen.maxConnections', listen.maxConnections, 'nobody could connect');
  positive(problems, 'listen.maxHeaderBytes', listen.maxHeaderBytes, 'no request has an empty head');
  problems.check(
    body.totalBufferBytes >= body.bufferBytes,
    'body.totalBufferBytes',
    body.totalBufferBytes,
    `be at least 'body.bufferBytes' (${body.bufferBytes})`,
    'not one body could be held',
  );
}

function checkPointers(problems: Problems, property: string, pointers: readonly string[]): void {
  for (const pointer of pointers) {
    problems.check(
      POINTER.test(pointer),
      property,
      pointer,
      'be a JSON pointer such as /usage/tokens',
      'it is followed',
    );
  }
}

function positive(problems: Problems, property: string, value: number, because: string): void {
  problems.check(value > 0 && Number.isFinite(value), property, value, 'be over 0', because);
}

function isPattern(path: string): boolean {
  const segments = path.split('/').slice(1);
  return (
    path.startsWith('/') &&
    segments.every((segment, index) => {
      const last = index === segments.length - 1;
      return (
        segment === '*' ||
        (segment === '**' ? last : SEGMENT.test(segment) && !/^\.\.?$/.test(segment) && (segment !== '' || last))
      );
    })
  );
}

function isCidr(cidr: string): boolean {
  const [address = '', bits = '', ...rest] = cidr.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}
