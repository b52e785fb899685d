import { CostExport, type CostExportArgs } from '../../stacks/aws/cost-export/cost-export';
import { recordGraph, type Graph } from './aws-graph';
import { TAGS } from './aws-stores';

/** The least arguments. */
export const COSTS: CostExportArgs = {
  tags: TAGS,
  budget: { monthlyUsd: 20_000, alarmEmails: ['finance@hospital.example'] },
};
/** ARN of the key of `costs`, as the mocks make it. */
export const COSTS_KEY = 'arn:aws:kms:eu-central-1:123456789012:costs-key';
/** ARN of the bucket of `costs`. */
export const COSTS_BUCKET = 'arn:aws:s3:eu-central-1:123456789012:costs';

/** Makes `costs` on mocks. */
export async function costExport(args: Partial<CostExportArgs> = {}): Promise<{ costs: CostExport; graph: Graph }> {
  let costs: CostExport | undefined;
  const graph = await recordGraph(
    () => {
      costs = new CostExport('costs', { ...COSTS, ...args });
    },
    { outputs: { 'aws:s3/bucket:Bucket': () => ({ bucket: 'costs-1a2b' }) } },
  );
  return { costs: costs as CostExport, graph };
}

/** A statement of a policy, as it was registered. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}

/** The statements of a policy in JSON. */
export function statements(policy: unknown): Statement[] {
  return (JSON.parse(String(policy)) as { Statement: Statement[] }).Statement;
}

/** Condition that lets in exports of the own account alone. */
export const OWN_EXPORTS = {
  StringEquals: { 'aws:SourceAccount': '123456789012' },
  ArnLike: { 'aws:SourceArn': 'arn:aws:bcm-data-exports:us-east-1:123456789012:export/*' },
};
