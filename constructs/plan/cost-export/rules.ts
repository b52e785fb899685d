import type { PrometheusRule } from '../../imports/prometheus-rule';
import { COST_JOB, CostMetric } from './metrics';
import type { CostExportPlan } from './plan';

type Alert = NonNullable<NonNullable<PrometheusRule['spec']['groups']>[number]['rules']>[number];

/** Hours without a run that succeeded after which a day is missing: a day, and time for retries. */
const LATE_HOURS = 30;
/** Hours after the end of the last day from which on the next one should be there: a day, and the same time. */
const MISSING_HOURS = 36;
/** Days of a month after which its mean says something. */
const DAYS_OF_A_MEAN = 7;

/**
 * The PrometheusRule of an export. Whether runs succeed is asked of kube-state-metrics, so that it is noticed even where
 * nothing can be pushed; days and money of the ledger's own metrics.
 */
export function costRule(plan: CostExportPlan): PrometheusRule {
  const { name, namespace, labels, props } = plan;
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name, namespace, labels: { ...props.ruleLabels, ...labels } },
    spec: {
      groups: [
        {
          name: `mediform-${namespace}-${name}`,
          rules: [
            ...runAlerts(plan),
            ...(plan.config.pushgateway === undefined ? [] : dayAlerts(plan)),
            ...(plan.config.monthlyBudget === undefined ? [] : budgetAlerts(plan)),
          ],
        },
      ],
    },
  };
}

function runAlerts({ name, namespace }: CostExportPlan): Alert[] {
  const cronJob = `{namespace="${namespace}",cronjob="${name}"}`;
  const late = LATE_HOURS * 3600;
  const success = `max(kube_cronjob_status_last_successful_time${cronJob})`;
  const created = `max(kube_cronjob_created${cronJob})`;
  return [
    {
      alert: 'CostExportFails',
      expr: `time() - (${success} or ${created}) > ${late}`,
      for: '10m',
      labels: { severity: 'warning', namespace, cronjob: name },
      annotations: {
        summary: `${namespace}/${name} has not succeeded for ${LATE_HOURS} hours`,
        description: `Its log says why: kubectl logs --namespace ${namespace} --selector app.kubernetes.io/name=${name}`,
      },
    },
  ];
}

function dayAlerts(plan: CostExportPlan): Alert[] {
  const { name, namespace, config } = plan;
  const labels = { severity: 'warning', namespace, cronjob: name };
  return [
    {
      alert: 'CostDayMissing',
      expr:
        `${of(plan, CostMetric.MISSING_DAYS)} > 0 or ` +
        `time() - ${of(plan, CostMetric.LAST_DAY)} > ${MISSING_HOURS * 3600}`,
      for: '1h',
      labels,
      annotations: {
        summary: `The ledger of ${namespace}/${name} lacks a day`,
        description: `The next runs try again, as long as it is one of the last ${config.backfillDays} days.`,
      },
    },
  ];
}

function budgetAlerts(plan: CostExportPlan): Alert[] {
  const { name, namespace } = plan;
  const labels = { namespace, cronjob: name };
  const budget = of(plan, CostMetric.BUDGET);
  return [
    {
      alert: 'CostBudgetPassed',
      expr: `${of(plan, CostMetric.MONTH)} > ${budget}`,
      labels: { severity: 'critical', ...labels },
      annotations: {
        summary: `The month has cost more than its budget, by the ledger of ${namespace}/${name}`,
        description: 'It has cost {{ $value | humanize }} so far; `mediform cost report` says what.',
      },
    },
    {
      alert: 'CostBudgetWillBePassed',
      expr:
        `${of(plan, CostMetric.MONTH_PROJECTED)} > ${budget} and ${of(plan, CostMetric.MONTH)} <= ${budget} ` +
        `and on () day_of_month(vector(time())) > ${DAYS_OF_A_MEAN}`,
      for: '1h',
      labels: { severity: 'warning', ...labels },
      annotations: {
        summary: `The month will cost more than its budget, by the ledger of ${namespace}/${name}`,
        description: 'At the mean of its days so far it will cost {{ $value | humanize }}.',
      },
    },
  ];
}

/** A metric of the ledger, as one element. */
function of({ config }: CostExportPlan, metric: string): string {
  return `max(${metric}{job="${COST_JOB}",ledger="${config.name}"})`;
}
