import { Decimal } from '../../../constructs/plan/cost/money';
import type { PriceFile } from '../../../constructs/plan/cost/price-file';
import type { Problems } from '../../../constructs/plan/errors';
import type { ChartValues } from './merge-values';
import { PROMETHEUS_SERVICE } from './monitoring';

/** What OpenCost is told. */
export interface OpenCostOptions {
  /** Name of the cluster, as reports show it. */
  readonly clusterName: string;
  /** AWS region of the cluster. */
  readonly region: string;
  /** The price file of the ledger, in USD: on-demand instances and volumes of the region are used. */
  readonly prices: PriceFile;
}

/** ConfigMap with the prices, and where the pod sees it. */
export const PRICES_CONFIG_MAP = 'opencost-prices';
const PRICES_FOLDER = '/var/prices';
export const PRICES_FILE = 'prices.csv';

/** Hours of a month, as AWS converts prices. */
const HOURS_A_MONTH = 730;

/** Records what keeps OpenCost from having prices: its own, for GPUs a flat 0.95 USD an hour, are never used. */
export function checkOpenCost(problems: Problems, options: OpenCostOptions): void {
  const { prices, region, clusterName } = options;
  problems.check(
    typeof clusterName === 'string' && clusterName !== '',
    'openCost.clusterName',
    clusterName,
    'name the cluster',
    'reports would not say whose costs they are',
  );
  problems.check(
    prices?.currency === 'USD',
    'openCost.prices.currency',
    prices?.currency,
    'be USD',
    'OpenCost counts in dollars and converts nothing',
  );
  problems.check(
    (prices?.prices ?? []).some(
      (price) => price.kind === 'instance' && price.capacityType === 'on-demand' && price.region === region,
    ),
    'openCost.prices.prices',
    prices?.source,
    `have an on-demand instance of ${region}`,
    'nodes would cost nothing',
  );
}

/**
 * OpenCost's price list (CSV provider): a row for each on-demand instance type and each volume type of the region. Its
 * format has no Spot prices, so Spot nodes are shown at on-demand prices; the ledger prices them properly.
 */
export function openCostPrices({ prices, region }: OpenCostOptions): string {
  const rows = prices.prices.flatMap((price) => {
    if (price.kind === 'instance' && price.region === region && price.capacityType === 'on-demand') {
      return [['', price.instanceType, region, 'node', 'spec.providerID', price.instanceType, price.price, '']];
    }
    if (price.kind === 'volume' && price.region === region) {
      // by the name of the storage class; without a region, since volumes are looked up without one
      const hourly = new Decimal(price.price).dividedBy(HOURS_A_MONTH).toDecimalPlaces(12).toFixed();
      return [['', price.volumeType, '', 'pv', 'spec.storageClassName', '', hourly, '']];
    }
    return [];
  });
  const header = 'EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version';
  return `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`;
}

/** Values of the chart `opencost`. */
export function openCostValues({ clusterName }: OpenCostOptions): ChartValues {
  const { name, namespace, port } = PROMETHEUS_SERVICE;
  return {
    opencost: {
      exporter: {
        defaultClusterId: clusterName,
        extraEnv: {
          // newer versions read the second only together with the first
          USE_CUSTOM_PROVIDER: 'true',
          USE_CSV_PROVIDER: 'true',
          CSV_PATH: `${PRICES_FOLDER}/${PRICES_FILE}`,
        },
        extraVolumeMounts: [{ name: 'prices', mountPath: PRICES_FOLDER, readOnly: true }],
      },
      // A node whose type has no price costs nothing, which shows; OpenCost's own defaults would not. Where they are all
      // zero, it splits the price of a node by fixed weights of its own.
      customPricing: {
        enabled: true,
        costModel: {
          description: 'no default prices',
          CPU: '0',
          spotCPU: '0',
          RAM: '0',
          spotRAM: '0',
          GPU: '0',
          storage: '0',
          zoneNetworkEgress: '0',
          regionNetworkEgress: '0',
          internetNetworkEgress: '0',
        },
      },
      prometheus: { internal: { enabled: true, serviceName: name, namespaceName: namespace, port } },
      metrics: { serviceMonitor: { enabled: true } },
      // it has no log-in of its own
      ui: { enabled: false },
    },
    extraVolumes: [{ name: 'prices', configMap: { name: PRICES_CONFIG_MAP } }],
  };
}
