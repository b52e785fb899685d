import { Chart, type App } from 'cdk8s';
import { CostExport } from 'mediform';
import { TIME_ZONE } from './platform';
import { PRICES } from './prices';

/** What every day cost, in a ledger in S3, with a budget. */
export function costs(app: App, ledger = 's3://hospital-prod-costs/ledger'): void {
  new CostExport(new Chart(app, 'cost', { namespace: 'cost' }), 'cost-export', {
    cost: {
      timeZone: TIME_ZONE,
      currency: 'EUR',
      region: 'eu-central-1',
      billingAccount: { id: '111122223333', name: 'St. Example Hospital' },
      cluster: 'hospital-prod',
      prometheus: { url: 'http://prometheus-operated.monitoring.svc:9090' },
      sharedNamespaces: ['kube-system', 'monitoring', 'cost'],
      selfHostedModels: ['resnet50', 'clinical-llm-34b', 'guideline-index'],
      volumeTypes: { 'gp3-encrypted': 'gp3' },
      shared: [{ name: 'eks-control-plane' }],
      people: [
        { activity: 'operations', hoursPerDay: '6' },
        { activity: 'review', hoursPerDay: '4', service: 'record-analysis' },
      ],
    },
    prices: PRICES,
    ledger: { s3: ledger },
    monthlyBudget: '90000',
    ruleLabels: { release: 'prometheus' },
  });
}
