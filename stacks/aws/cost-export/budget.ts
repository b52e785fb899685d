import { Budget } from '@pulumi/aws/budgets';
import { Topic, TopicPolicy, TopicSubscription } from '@pulumi/aws/sns';
import { all, type Output, type Resource } from '@pulumi/pulumi';
import type { Problems } from '../../../constructs/plan/errors';
import { awsLocation } from '../location';
import type { Tags } from '../tags';
import { topicPolicy } from './policies';

/** What the account may cost in a month, and who is told. */
export interface BudgetOptions {
  /** USD that all of the account's services together may cost in a calendar month. */
  readonly monthlyUsd: number;
  /** Mail addresses that alarms go to. Each must confirm once, by a mail from AWS. */
  readonly alarmEmails: readonly string[];
  /**
   * Percentages of the budget at which an alarm goes out, of what was spent. One more goes out as soon as the forecast for
   * the month is over the budget.
   *
   * @default [80, 100]
   */
  readonly alarmPercent?: readonly number[];
}

/** Records what is wrong with a budget. */
export function checkBudget(problems: Problems, budget: BudgetOptions): void {
  const { monthlyUsd, alarmEmails, alarmPercent = [100] } = budget ?? {};
  problems.check(
    Number.isFinite(monthlyUsd) && monthlyUsd > 0,
    'budget.monthlyUsd',
    monthlyUsd,
    'be a number over 0',
    'no budget is guessed',
  );
  problems.check(
    Array.isArray(alarmEmails) &&
      alarmEmails.length > 0 &&
      alarmEmails.every((email: unknown) => typeof email === 'string' && /^\S+@\S+\.\S+$/.test(email)),
    'budget.alarmEmails',
    alarmEmails,
    'list at least one mail address',
    'an alarm that reaches nobody is none',
  );
  problems.check(
    Array.isArray(alarmPercent) &&
      alarmPercent.length > 0 &&
      alarmPercent.length <= 4 &&
      alarmPercent.every((percent: unknown) => typeof percent === 'number' && percent > 0 && percent <= 1000),
    'budget.alarmPercent',
    alarmPercent,
    'list one to four percentages over 0',
    'AWS takes five alarms for a budget, and one is for the forecast',
  );
}

/**
 * Makes the budget and the encrypted topic of its alarms.
 *
 * @returns ARN of the topic
 */
export function budgetWithAlarms(
  name: string,
  { monthlyUsd, alarmEmails, alarmPercent = [80, 100] }: BudgetOptions,
  { keyArn, tags }: { readonly keyArn: Output<string>; readonly tags: Tags },
  parent: Resource,
): Output<string> {
  const topic = new Topic(`${name}-alarms`, { kmsMasterKeyId: keyArn, tags }, { parent });
  const allowed = new TopicPolicy(
    `${name}-alarms`,
    {
      arn: topic.arn,
      policy: all([awsLocation({ parent }), topic.arn]).apply(([location, arn]) =>
        JSON.stringify(topicPolicy(location, arn)),
      ),
    },
    { parent },
  );
  alarmEmails.forEach((endpoint, index) => {
    new TopicSubscription(`${name}-alarms-${index}`, { topic: topic.arn, protocol: 'email', endpoint }, { parent });
  });
  const alarm = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
    notificationType,
    threshold,
    thresholdType: 'PERCENTAGE',
    comparisonOperator: 'GREATER_THAN',
    subscriberSnsTopicArns: [topic.arn],
  });
  new Budget(
    `${name}-budget`,
    {
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      limitAmount: String(monthlyUsd),
      limitUnit: 'USD',
      notifications: [...alarmPercent.map((percent) => alarm('ACTUAL', percent)), alarm('FORECASTED', 100)],
      tags,
    },
    // AWS tries the topic out when the budget is made
    { parent, dependsOn: [allowed] },
  );
  return topic.arn;
}
