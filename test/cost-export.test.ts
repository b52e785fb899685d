import { type ApiObject, Duration, JsonPatch, Testing } from 'cdk8s';
import { CostExport, NodePool, type CostExportProps } from 'mediform';
import type { ConfigMap } from '../constructs/imports/config-map';
import type { CronJob } from '../constructs/imports/cron-job';
import type { NetworkPolicy } from '../constructs/imports/network-policy';
import type { PersistentVolumeClaim } from '../constructs/imports/persistent-volume-claim';
import { dashboard } from '../constructs/plan/cost-export/dashboard';
import { MAX_STORED_BYTES } from '../constructs/plan/programs';
import { testChart } from './support/app';
import { COST_EXPORT } from './support/cost-export';
import { schemaErrors } from './support/schema';

interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: { readonly [label: string]: string };
  };
}

function render(props: Partial<CostExportProps> = {}): Rendered[] {
  const chart = testChart('cost');
  new CostExport(chart, 'cost_export', { ...COST_EXPORT, ...props });
  return Testing.synth(chart) as Rendered[];
}

function rendered<T>(kind: string, props: Partial<CostExportProps> = {}, name = 'cost-export'): T {
  return render(props).find((object) => object.kind === kind && object.metadata.name === name) as T;
}

const podOf = (props?: Partial<CostExportProps>) =>
  rendered<CronJob>('CronJob', props).spec?.jobTemplate.spec?.template.spec;

/** Lines of the error that some properties give. */
function problemsOf(props: Partial<CostExportProps>): string[] {
  try {
    render(props);
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace('[test/cost_export] ', ''));
  }
  return [];
}

describe('objects', () => {
  it('are these, all in one namespace, and pass the strict schemas', () => {
    const objects = render();
    expect(
      objects.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-[0-9a-f]{10}$/, '')}`).sort(),
    ).toEqual([
      'ConfigMap cost-export',
      'ConfigMap cost-export-dashboard',
      'ConfigMap cost-export-prices',
      'ConfigMap mediform-cost',
      'CronJob cost-export',
      'NetworkPolicy cost-export',
      'PersistentVolumeClaim cost-export',
      'PrometheusRule cost-export',
      'ServiceAccount cost-export',
    ]);
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['cost']));
    expect(objects.flatMap(schemaErrors)).toEqual([]);
  });

  it('can each be patched', () => {
    const chart = testChart('cost');
    const made = new CostExport(chart, 'costs', COST_EXPORT);
    const { serviceAccount, cronJob, config, prices, ledger, networkPolicy, prometheusRule, dashboard: grafana } = made;
    const objects = [serviceAccount, cronJob, config, prices, ledger, networkPolicy, prometheusRule, grafana];
    objects.forEach((object) =>
      (object as ApiObject).addJsonPatch(JsonPatch.add('/metadata/annotations', { patched: 'yes' })),
    );
    const patched = (Testing.synth(chart) as { metadata: { annotations?: object } }[]).filter(
      ({ metadata }) => metadata.annotations !== undefined,
    );
    expect(patched).toHaveLength(objects.length);
  });

  it('fit into what kubectl writes down beside them', () => {
    for (const object of render()) {
      expect([object.metadata.name, JSON.stringify(object).length < MAX_STORED_BYTES + 4096]).toEqual([
        object.metadata.name,
        true,
      ]);
    }
  });
});

describe('the CronJob', () => {
  it('runs once at a time, has a deadline, tries again, and keeps few of its Jobs', () => {
    const { spec } = rendered<CronJob>('CronJob', { cost: { ...COST_EXPORT.cost, timeZone: 'Europe/Berlin' } });
    expect(spec).toMatchObject({
      schedule: '30 3 * * *',
      timeZone: 'Europe/Berlin',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 21_600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    expect(spec?.jobTemplate.spec).toMatchObject({ backoffLimit: 3, activeDeadlineSeconds: 7200 });
    const other = rendered<CronJob>('CronJob', { schedule: '0 5 * * *', deadline: Duration.minutes(30) }).spec;
    expect([other?.schedule, other?.jobTemplate.spec?.activeDeadlineSeconds]).toEqual(['0 5 * * *', 1800]);
  });

  it('meets the Pod Security standard "restricted", with an account that may do nothing', () => {
    const pod = podOf();
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod?.automountServiceAccountToken).toBe(false);
    expect(rendered('ServiceAccount')).toMatchObject({ automountServiceAccountToken: false });
    expect(JSON.stringify(rendered('ServiceAccount'))).not.toContain('annotations');
    expect(pod?.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod?.volumes?.every((volume) => volume.hostPath === undefined)).toBe(true);
  });

  it('has the ledger on a volume of its own, on one that exists, or in S3', () => {
    const ledgerOf = (props?: Partial<CostExportProps>): unknown =>
      podOf(props)?.volumes?.find(({ name }) => name === 'ledger')?.persistentVolumeClaim;
    expect(ledgerOf()).toEqual({ claimName: 'cost-export' });
    expect(rendered<PersistentVolumeClaim>('PersistentVolumeClaim').spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '5Gi' } },
    });
    expect(ledgerOf({ ledger: { claim: 'costs' } })).toEqual({ claimName: 'costs' });
    expect(rendered('PersistentVolumeClaim', { ledger: { claim: 'costs' } })).toBeUndefined();
    const s3: Partial<CostExportProps> = { ledger: { s3: 's3://costs/ledger' } };
    expect(ledgerOf(s3)).toBeUndefined();
    expect(rendered<ConfigMap>('ConfigMap', s3).data?.['config.json']).toContain('"ledger": "s3://costs/ledger"');
    expect(podOf(s3)?.containers[0]?.env).toContainEqual({ name: 'AWS_REGION', value: 'eu-central-1' });
  });

  it('has its prices as files', () => {
    const data = rendered<ConfigMap>('ConfigMap', {}, 'cost-export-prices').data;
    expect(JSON.parse(data?.['00.json'] ?? '')).toEqual(COST_EXPORT.prices[0]);
  });
});

describe('the network policy', () => {
  const egress = (props?: Partial<CostExportProps>): unknown[] =>
    (rendered<NetworkPolicy>('NetworkPolicy', props).spec?.egress ?? []).map(({ to, ports }) => [
      to?.[0]?.ipBlock?.cidr ?? to?.[0]?.namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'],
      ports?.map(({ port }) => port),
    ]);

  it('lets nobody in, and out to DNS, Prometheus and the Pushgateway alone', () => {
    expect(rendered<NetworkPolicy>('NetworkPolicy').spec?.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(rendered<NetworkPolicy>('NetworkPolicy').spec?.ingress).toBeUndefined();
    expect(egress()).toEqual([
      ['kube-system', [53, 53]],
      ['monitoring', [9090]],
      ['monitoring', [9091]],
    ]);
  });

  it('lets out to S3 and to Pod Identity where the ledger is there, and to what is named', () => {
    expect(egress({ ledger: { s3: 's3://costs/ledger' }, pushgateway: 'off' })).toEqual([
      ['kube-system', [53, 53]],
      ['monitoring', [9090]],
      ['0.0.0.0/0', [443]],
      ['169.254.170.23/32', [80]],
    ]);
    const cost = { ...COST_EXPORT.cost, prometheus: { url: 'https://prometheus.hospital.example' } };
    expect(egress({ cost, egress: [{ cidr: '10.0.0.0/8' }], pushgateway: 'off' })).toEqual([
      ['kube-system', [53, 53]],
      ['10.0.0.0/8', [443]],
    ]);
  });
});

describe('what is refused', () => {
  it.each<[string, Partial<CostExportProps>, string]>([
    ['no prices', { prices: [] }, "'prices' ([]) must hold a price file because a price is never guessed"],
    [
      'a bill without DuckDB',
      { cost: { ...COST_EXPORT.cost, bill: { location: 's3://bills/focus', format: 'focus' } } },
      "'cost.bill' (focus) must come with an 'image' that has DuckDB because bills are read with it, and the official Node image has none",
    ],
    [
      'a budget without metrics',
      { monthlyBudget: '100', pushgateway: 'off' },
      "'monthlyBudget' (100) must not be given where 'pushgateway' is off because the alarm is on metrics that go through it",
    ],
    [
      'a budget as a float',
      { monthlyBudget: 'viel' },
      "'monthlyBudget' (viel) must be a decimal number in quotes because money is never a binary float",
    ],
    [
      'a schedule of four fields',
      { schedule: '3 * * *' },
      "'schedule' (3 * * *) must be five cron fields because a CronJob takes no other form",
    ],
    [
      'no bucket',
      { ledger: { s3: 'costs' } },
      "'ledger.s3' (costs) must be s3://bucket/prefix because the ledger is kept there",
    ],
    [
      'days beyond data',
      { backfillDays: 400 },
      "'backfillDays' (400) must be a whole number from 1 to 90 because Prometheus seldom keeps data longer",
    ],
    [
      'a run of a day',
      { deadline: Duration.days(1) },
      "'deadline' (86400 s) must be a minute or more and less than a day because the next run would find this one at work",
    ],
    [
      'a Prometheus that the policy keeps away',
      { cost: { ...COST_EXPORT.cost, prometheus: { url: 'https://prometheus.hospital.example' } } },
      "'egress' ([]) must let the job reach Prometheus at https://prometheus.hospital.example because the address is not that of a Service, which says its namespace",
    ],
    [
      'a long name',
      { name: 'a'.repeat(41) },
      `'name' (${'a'.repeat(41)}) must be a DNS label of at most 40 characters that starts with a letter because a CronJob and its pods are named after it`,
    ],
  ])('%s', (_, props, problem) => {
    expect(problemsOf(props)).toEqual([problem]);
  });

  it('what the configuration and the price files get wrong, all at once', () => {
    const prices = [{ ...COST_EXPORT.prices[0], validTo: '2026-01-01' } as CostExportProps['prices'][number]];
    const problems = problemsOf({ cost: { ...COST_EXPORT.cost, currency: 'euro' }, prices, backfillDays: 0 });
    expect(problems).toHaveLength(3);
    expect(problems.join('\n')).toMatch(/'currency' \(euro\) must[\s\S]*validTo[\s\S]*'backfillDays' \(0\)/);
  });

  it('pods that no pool of the app takes', () => {
    const chart = testChart('cost');
    new NodePool(chart, 'memory', { cluster: { name: 'prod' }, type: 'memory-optimized', maxCpu: 8 });
    new CostExport(chart, 'costs', COST_EXPORT);
    expect(() => void Testing.synth(chart)).toThrow(/'cost' .* must fit a node pool of the app/);
    const other = testChart('cost');
    new NodePool(other, 'memory', { cluster: { name: 'prod' }, type: 'memory-optimized', maxCpu: 8 });
    new CostExport(other, 'costs', { ...COST_EXPORT, checkNodePools: false });
    expect(() => void Testing.synth(other)).not.toThrow();
  });
});

describe('the Grafana dashboard', () => {
  it('is found by the sidecar, and is not there without metrics', () => {
    const grafana = rendered<ConfigMap>('ConfigMap', {}, 'cost-export-dashboard');
    expect(grafana.metadata?.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(rendered('ConfigMap', { pushgateway: 'off' }, 'cost-export-dashboard')).toBeUndefined();
  });

  it('has panels that do not overlap, each with its data source and a query', () => {
    const { plan } = new CostExport(testChart('cost'), 'costs', { ...COST_EXPORT, monthlyBudget: '1000' });
    const model = dashboard(plan) as {
      panels: {
        id: number;
        title: string;
        gridPos: { x: number; y: number; w: number; h: number };
        targets: { expr: string }[];
        datasource: object;
      }[];
    };
    const cells = new Map<string, string>();
    for (const {
      title,
      gridPos: { x, y, w, h },
      targets,
      datasource,
    } of model.panels) {
      expect(x + w).toBeLessThanOrEqual(24);
      expect(targets.length).toBeGreaterThan(0);
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect([cells.get(`${column} ${line}`), title]).toEqual([undefined, title]);
          cells.set(`${column} ${line}`, title);
        }
      }
    }
    expect(new Set(model.panels.map(({ id }) => id)).size).toBe(model.panels.length);
    expect(model.panels.map(({ title }) => title)).toContain('Budget of the month');
  });
});
