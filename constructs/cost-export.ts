import { Chart, type ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { AppFacts } from './app-facts';
import { kubeObject, planFor } from './kube-object';
import { dashboardConfigMap } from './plan/cost-export/dashboard';
import {
  costConfigMap,
  costCronJob,
  costNetworkPolicy,
  costServiceAccount,
  ledgerClaim,
  priceConfigMap,
} from './plan/cost-export/objects';
import { planCostExport, type CostExportPlan } from './plan/cost-export/plan';
import type { CostExportProps } from './plan/cost-export/props';
import { costRule } from './plan/cost-export/rules';
import { Problems } from './plan/errors';
import { fittingPools } from './plan/placement';
import { provideProgram } from './program';

/**
 * Writes what every day costs into a ledger, each night: usage from Prometheus times the prices of the price files. Read it
 * with `mediform cost` or `mediform/cost`, and in Athena where it is in S3.
 *
 * Makes a CronJob, ServiceAccount, NetworkPolicy, ConfigMaps with the configuration and the prices, a PrometheusRule, the
 * ConfigMap of a Grafana dashboard and, for a ledger on a volume, its PersistentVolumeClaim. The pod runs under the Pod
 * Security standard "restricted", and its account may do nothing in the cluster.
 *
 * The cluster needs the Prometheus operator, kube-state-metrics (with the labels of nodes and pods), for GPUs dcgm-exporter,
 * and for alarms on money and the Grafana dashboard a Pushgateway that Prometheus scrapes with `honorLabels`.
 *
 * Cost: a pod of half a core and 1 GiB for some minutes a day, and the ledger itself, about 1 GiB a year.
 *
 * @throws ConfigurationError that lists all wrong values with the construct's path
 */
export class CostExport extends Construct {
  /** All that was decided, as plain data. */
  public readonly plan: CostExportPlan;
  /** Identity of the pods; give it to EKS Pod Identity for S3. */
  public readonly serviceAccount: ApiObject;
  /** The CronJob object; patch it through this. */
  public readonly cronJob: ApiObject;
  /** The ConfigMap object with the configuration. */
  public readonly config: ApiObject;
  /** The ConfigMap object with the prices. */
  public readonly prices: ApiObject;
  /** The PersistentVolumeClaim object; absent where the ledger is in S3 or on a claim that exists. */
  public readonly ledger?: ApiObject;
  /** The NetworkPolicy object. */
  public readonly networkPolicy: ApiObject;
  /** The PrometheusRule object. */
  public readonly prometheusRule: ApiObject;
  /** The ConfigMap object with the Grafana dashboard; absent without a Pushgateway. */
  public readonly dashboard?: ApiObject;

  constructor(scope: Construct, id: string, props: CostExportProps) {
    super(scope, id);
    const plan = planFor(this, () => planCostExport(id, props, Chart.of(this).namespace));
    this.plan = plan;
    const program = provideProgram(this, 'cost', plan.namespace);
    this.serviceAccount = kubeObject(this, 'ServiceAccount', costServiceAccount(plan));
    this.config = kubeObject(this, 'Config', costConfigMap(plan));
    this.prices = kubeObject(this, 'Prices', priceConfigMap(plan));
    const claim = ledgerClaim(plan);
    this.ledger = claim && kubeObject(this, 'Ledger', claim);
    this.cronJob = kubeObject(this, 'CronJob', costCronJob(plan, program));
    this.networkPolicy = kubeObject(this, 'NetworkPolicy', costNetworkPolicy(plan));
    this.prometheusRule = kubeObject(this, 'PrometheusRule', costRule(plan));
    const dashboard = dashboardConfigMap(plan);
    this.dashboard = dashboard && kubeObject(this, 'Dashboard', dashboard);
    this.node.addValidation({ validate: () => this.placementProblems() });
  }

  private placementProblems(): string[] {
    if (this.plan.props.checkNodePools === false) {
      return [];
    }
    const problems = new Problems();
    const { schedule, priority } = this.plan;
    const pools = [...AppFacts.of(this).nodePools.values()];
    fittingPools(problems, { schedule, priority, nodeSelector: schedule.nodeSelector }, pools, 'cost');
    return [...problems.list];
  }
}
