import { PreparedStatement } from '@pulumi/aws/athena';
import type { Output, Resource } from '@pulumi/pulumi';
import { athenaSql, COST_QUERIES } from '../../../constructs/plan/cost/queries';

/**
 * Makes a prepared statement of each question that `CostAnalyzer` and its like ask of a ledger, with the first and the last
 * day as parameters: `EXECUTE by_service USING '2026-06-01', '2026-06-30'`.
 */
export function costStatements(
  name: string,
  workgroup: Output<string>,
  database: Output<string>,
  parent: Resource,
): void {
  for (const [question, sql] of Object.entries(COST_QUERIES)) {
    // names in statements are of one case
    const statement = question.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    new PreparedStatement(
      `${name}-${statement}`,
      {
        name: statement,
        description: 'USING the first and the last day',
        workgroup,
        queryStatement: database.apply((of) => athenaSql(sql, of)),
      },
      { parent },
    );
  }
}
