import { Size } from 'cdk8s';
import type { CostExportProps } from 'mediform';

/** The smallest export of costs. */
export const COST_EXPORT: CostExportProps = {
  cost: {
    currency: 'EUR',
    region: 'eu-central-1',
    billingAccount: { id: '111122223333', name: 'Hospital' },
    cluster: 'prod',
    prometheus: { url: 'http://prometheus-operated.monitoring.svc:9090' },
  },
  prices: [
    {
      source: 'test',
      provider: 'AWS',
      published: '2026-11-01',
      currency: 'EUR',
      validFrom: '2026-11-01',
      validTo: '2026-12-31',
      prices: [
        {
          kind: 'instance',
          unit: 'Hours',
          instanceType: 'g5.xlarge',
          region: 'eu-central-1',
          capacityType: 'on-demand',
          price: '1',
        },
      ],
    },
  ],
  ledger: { size: Size.gibibytes(5) },
};
