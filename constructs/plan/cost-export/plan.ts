import { splitAtPlaceholders } from '../late-values';
import { parseCostConfig } from '../cost/check-config';
import { parsePriceFile } from '../cost/check-price-file';
import { ConfigurationError, Problems } from '../errors';
import { IMAGES } from '../images';
import { asJson, jsonFile } from '../json';
import { ServiceLabel } from '../labels';
import { checkCidr, ANYWHERE, type NetworkPeer } from '../network';
import { checkName } from '../names';
import { Priority } from '../priorities';
import { MAX_STORED_BYTES } from '../programs';
import { scheduleWorkload, type WorkloadSchedule } from '../scheduling';
import { COST_EXPORT_PATHS, type CostExportConfig } from './config';
import type { CostExportProps } from './props';

/** Everything about an export, checked and with defaults. */
export interface CostExportPlan {
  readonly props: CostExportProps;
  readonly name: string;
  readonly namespace: string;
  readonly priority: Priority;
  readonly schedule: WorkloadSchedule;
  /** When it runs. */
  readonly cron: { readonly schedule: string; readonly timeZone: string; readonly deadlineSeconds: number };
  readonly config: CostExportConfig;
  /** Price files by name, as they are mounted. */
  readonly priceFiles: { readonly [file: string]: string };
  /** PersistentVolumeClaim of the ledger; absent where it is in S3. */
  readonly claim?: string;
  readonly egress: readonly NetworkPeer[];
  readonly image: string;
  readonly labels: { readonly [label: string]: string };
}

/** A CronJob's Jobs add eleven characters to its name, and pods six more. */
const MAX_NAME_LENGTH = 40;
const CRON = /^(\S+\s+){4}\S+$/;
/** Where EKS Pod Identity gives pods their credentials: an agent on each node. */
const POD_IDENTITY_AGENT: NetworkPeer = { cidr: '169.254.170.23/32', ports: [80] };
/** `service.namespace`, `service.namespace.svc`, `service.namespace.svc.cluster.local` */
const SERVICE_HOST = /^[a-z0-9-]+\.([a-z0-9-]+)(\.svc(\.[a-z0-9.-]+)?)?$/;

/**
 * Plans an export of costs.
 *
 * @throws ConfigurationError that lists all that is wrong
 */
export function planCostExport(id: string, props: CostExportProps, chartNamespace: string | undefined): CostExportPlan {
  const problems = new Problems();
  const name = props.name ?? id.toLowerCase().replaceAll('_', '-');
  const namespace = props.namespace ?? chartNamespace;
  checkNames(problems, name, namespace);
  collect(problems, () => parseCostConfig(asJson(props.cost)));
  props.prices.forEach((file, index) => collect(problems, () => parsePriceFile(asJson(file), `prices[${index}]`)));
  checkNumbers(problems, props);
  checkPairs(problems, props);
  const egress = planEgress(problems, props);
  const schedule = scheduleWorkload({ cpu: 0.5, memory: props.memory ?? { toMebibytes: () => 1024 } }, Priority.NORMAL);
  const priceFiles = Object.fromEntries(
    props.prices.map((file, index) => [`${String(index).padStart(2, '0')}.json`, jsonFile(file)]),
  );
  const bytes = Object.values(priceFiles).reduce((total, text) => total + Buffer.byteLength(text), 0);
  problems.check(props.prices.length > 0, 'prices', props.prices, 'hold a price file', 'a price is never guessed');
  problems.check(
    bytes <= MAX_STORED_BYTES,
    'prices',
    `${bytes} bytes`,
    `be at most ${MAX_STORED_BYTES} bytes`,
    'a ConfigMap holds no more; leave out what the cluster does not have',
  );
  problems.throwIfAny();
  const { cost, recollectDays = cost.bill === undefined ? 0 : 4 } = props;
  const gateway = pushgatewayAddress(props);
  return {
    props,
    name,
    namespace: namespace as string,
    priority: Priority.NORMAL,
    schedule,
    cron: {
      schedule: props.schedule ?? '30 3 * * *',
      timeZone: cost.timeZone ?? 'UTC',
      deadlineSeconds: props.deadline?.toSeconds() ?? 7200,
    },
    config: asJson({
      cost,
      ledger: 's3' in props.ledger ? props.ledger.s3 : COST_EXPORT_PATHS.ledger,
      name: `${namespace}/${name}`,
      backfillDays: props.backfillDays ?? 7,
      recollectDays,
      monthlyBudget: props.monthlyBudget,
      pushgateway: gateway,
    }),
    priceFiles,
    ...('s3' in props.ledger ? {} : { claim: 'claim' in props.ledger ? props.ledger.claim : name }),
    egress,
    image: props.image ?? IMAGES.node,
    labels: { [ServiceLabel.NAME]: name, [ServiceLabel.MANAGED_BY]: 'mediform' },
  };
}

function checkNames(problems: Problems, name: string, namespace: string | undefined): void {
  checkName(problems, name, namespace, {
    maxLength: MAX_NAME_LENGTH,
    name: 'a CronJob and its pods are named after it',
    namespace: 'the alarms name it in their queries',
  });
}

function checkNumbers(problems: Problems, props: CostExportProps): void {
  const { schedule = '30 3 * * *', backfillDays = 7, recollectDays = 0, deadline, monthlyBudget } = props;
  problems.check(CRON.test(schedule), 'schedule', schedule, 'be five cron fields', 'a CronJob takes no other form');
  const whole = (property: string, value: number, least: number): boolean =>
    problems.check(
      Number.isInteger(value) && value >= least && value <= 90,
      property,
      value,
      `be a whole number from ${least} to 90`,
      'Prometheus seldom keeps data longer',
    );
  whole('backfillDays', backfillDays, 1);
  whole('recollectDays', recollectDays, 0);
  const seconds = deadline?.toSeconds() ?? 7200;
  problems.check(
    seconds >= 60 && seconds < 86_400,
    'deadline',
    `${seconds} s`,
    'be a minute or more and less than a day',
    'the next run would find this one at work',
  );
  problems.check(
    monthlyBudget === undefined || /^\d+(\.\d+)?$/.test(monthlyBudget),
    'monthlyBudget',
    monthlyBudget,
    'be a decimal number in quotes',
    'money is never a binary float',
  );
}

/** What needs something else. */
function checkPairs(problems: Problems, { cost, image, ledger, monthlyBudget, pushgateway }: CostExportProps): void {
  problems.check(
    cost.bill === undefined || image !== undefined,
    'cost.bill',
    cost.bill?.format,
    "come with an 'image' that has DuckDB",
    'bills are read with it, and the official Node image has none',
  );
  problems.check(
    cost.bill === undefined || cost.bill.location.startsWith('s3://'),
    'cost.bill.location',
    cost.bill?.location,
    'be in S3',
    'the pod has no folder with bills',
  );
  problems.check(
    monthlyBudget === undefined || pushgateway !== 'off',
    'monthlyBudget',
    monthlyBudget,
    "not be given where 'pushgateway' is off",
    'the alarm is on metrics that go through it',
  );
  if ('s3' in ledger) {
    problems.check(
      /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/.test(withLateNames(ledger.s3)),
      'ledger.s3',
      ledger.s3,
      'be s3://bucket/prefix',
      'the ledger is kept there',
    );
  } else if ('size' in ledger) {
    const size = ledger.size.toMebibytes();
    problems.check(size >= 64, 'ledger.size', `${size} MiB`, 'be 64 MiB or more', 'days become years');
  }
}

/** With a name in the place of each that only the deployment knows. */
function withLateNames(url: string): string {
  return splitAtPlaceholders(url)
    .map((part, index) => (index % 2 === 0 ? part : 'known-later'))
    .join('');
}

function planEgress(problems: Problems, props: CostExportProps): readonly NetworkPeer[] {
  const { egress = [], ledger, cost } = props;
  egress.flatMap(({ cidr }) => cidr ?? []).forEach((cidr) => checkCidr(problems, 'egress.cidr', cidr));
  const needsS3 = 's3' in ledger || cost.bill !== undefined;
  return [
    ...prometheusPeer(problems, props),
    ...(props.pushgateway === 'off' ? [] : [pushgatewayPeer(props.pushgateway ?? {})]),
    ...(needsS3 ? [{ cidr: ANYWHERE, ports: [443] }, POD_IDENTITY_AGENT] : []),
    ...egress,
  ];
}

/** Where Prometheus is, as its address says; an address of something else must be let out by `egress`. */
function prometheusPeer(problems: Problems, { cost, egress = [] }: CostExportProps): readonly NetworkPeer[] {
  const url = URL.canParse(cost.prometheus?.url ?? '') ? new URL(cost.prometheus.url) : undefined;
  const namespace = SERVICE_HOST.exec(url?.hostname ?? '')?.[1];
  if (url === undefined || namespace === undefined) {
    problems.check(
      egress.length > 0,
      'egress',
      egress,
      `let the job reach Prometheus at ${cost.prometheus?.url}`,
      'the address is not that of a Service, which says its namespace',
    );
    return [];
  }
  return [{ namespace, ports: podPorts(Number(url.port || (url.protocol === 'https:' ? 443 : 80)), 9090) }];
}

function pushgatewayPeer({
  namespace = 'monitoring',
  port = 9091,
}: Exclude<CostExportProps['pushgateway'], 'off' | undefined>): NetworkPeer {
  return { namespace, ports: podPorts(port, 9091) };
}

/** Network policies see the ports of pods, which a Service may have under another number. */
function podPorts(port: number, usual: number): number[] {
  return [...new Set([port, usual])];
}

function pushgatewayAddress({ pushgateway = {} }: CostExportProps): string | undefined {
  if (pushgateway === 'off') {
    return undefined;
  }
  const { service = 'prometheus-pushgateway', namespace = 'monitoring', port = 9091 } = pushgateway;
  return `http://${service}.${namespace}.svc:${port}`;
}

/** Runs a check that throws; what it finds joins the rest. */
function collect(problems: Problems, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    problems.add(error.problems);
  }
}
