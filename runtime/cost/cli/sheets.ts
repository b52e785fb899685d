import { COST_CATEGORIES } from '../../../constructs/plan/cost/categories';
import type { Estimate } from '../../../constructs/plan/cost/estimate/estimate';
import type { AdviceReport } from '../advice/types';
import type { CostReport } from '../report/report';
import { CATEGORY_NAMES, NO_SERVICE } from '../report/charts';
import type { YearForecast } from '../forecast/year';
import type { Sheet } from './sheet';

/** What a report can be broken down by. */
export const BREAKDOWNS = ['service', 'model', 'day', 'month', 'category'] as const;

/** One of `BREAKDOWNS`. */
export type Breakdown = (typeof BREAKDOWNS)[number];

/** A report by one of its breakdowns. */
export function reportSheet(report: CostReport, by: Breakdown): Sheet {
  const { from, to } = report.period;
  const span = `${from} to ${to}`;
  switch (by) {
    case 'service':
      return {
        title: `By service, ${span}`,
        columns: [
          { key: 'service', title: 'service' },
          { key: 'cost', title: 'cost', as: 'money' },
          { key: 'calls', title: 'calls' },
          { key: 'cost_per_call', title: 'each call', as: 'unit' },
        ],
        rows: report.services.map(({ service = NO_SERVICE, cost, calls, costPerCall }) => ({
          service,
          cost,
          calls,
          cost_per_call: costPerCall,
        })),
      };
    case 'model':
      return {
        title: `By model, ${span}`,
        columns: [
          { key: 'model', title: 'model' },
          { key: 'cost', title: 'cost', as: 'money' },
          { key: 'usage_hours', title: 'hours' },
          { key: 'cost_per_hour', title: 'each hour', as: 'unit' },
          { key: 'calls', title: 'calls' },
          { key: 'cost_per_call', title: 'each call', as: 'unit' },
        ],
        rows: report.models.map(({ model, cost, usageHours, costPerHour, calls, costPerCall }) => ({
          model,
          cost,
          usage_hours: usageHours,
          cost_per_hour: costPerHour,
          calls,
          cost_per_call: costPerCall,
        })),
      };
    case 'day':
      return {
        title: `By day, ${span}`,
        columns: [
          { key: 'day', title: 'day' },
          { key: 'cost', title: 'cost', as: 'money' },
          { key: 'week_mean', title: 'mean of 7 days', as: 'money' },
        ],
        rows: report.trend.days.map(({ day, cost, weekMean }) => ({ day, cost, week_mean: weekMean })),
      };
    case 'month':
      return monthSheet(report);
    case 'category': {
      const costs = new Map(COST_CATEGORIES.map((category) => [category, report.categories[category]]));
      return {
        title: `By category, ${span}`,
        columns: [
          { key: 'category', title: 'category' },
          { key: 'cost', title: 'cost', as: 'money' },
        ],
        rows: [...costs].map(([category, cost]) => ({ category: CATEGORY_NAMES[category], cost })),
      };
    }
  }
}

function monthSheet({ months }: CostReport): Sheet {
  return {
    title:
      months === undefined
        ? 'Month against month'
        : `${months.month} against ${months.previous}, the same ${months.days} days`,
    columns: [
      { key: 'service', title: 'service' },
      { key: 'cost', title: months?.month ?? 'cost', as: 'money' },
      { key: 'previous_cost', title: months?.previous ?? 'before', as: 'money' },
      { key: 'change', title: 'change', as: 'money' },
    ],
    rows: (months?.byService ?? []).map(({ service = NO_SERVICE, cost, previousCost, change }) => ({
      service,
      cost,
      previous_cost: previousCost,
      change,
    })),
  };
}

/** A forecast by the months of its year. */
export function forecastSheet({ year, days }: YearForecast): Sheet {
  const ends = days.filter(({ day }, index) => days[index + 1]?.day.slice(0, 7) !== day.slice(0, 7));
  return {
    title: `${year} up to the end of each month`,
    columns: [
      { key: 'day', title: 'up to' },
      { key: 'year_lower', title: 'from', as: 'money' },
      { key: 'year_upper', title: 'to', as: 'money' },
    ],
    rows: ends.map(({ day, yearLower, yearUpper }) => ({ day, year_lower: yearLower, year_upper: yearUpper })),
  };
}

/** Advice, the largest saving first. */
export function adviceSheet({ advice, period: { from, to } }: AdviceReport): Sheet {
  return {
    title: `Advice on ${from} to ${to}`,
    columns: [
      { key: 'what', title: 'what' },
      { key: 'property', title: 'property' },
      { key: 'current', title: 'now' },
      { key: 'proposed', title: 'better', width: 26 },
      { key: 'monthly_saving', title: 'saves a month', as: 'money' },
      { key: 'confidence', title: 'confidence' },
      { key: 'reason', title: 'because', width: 44 },
    ],
    rows: advice.map(({ construct, subject, property, current, proposed, monthlySaving, confidence, reason }) => ({
      what: construct ?? subject,
      property,
      current,
      proposed,
      monthly_saving: monthlySaving,
      confidence,
      reason,
    })),
  };
}

/** An estimate, line by line. */
export function estimateSheet({ lines, region, day }: Estimate): Sheet {
  return {
    title: `A month of 730 hours in ${region}, at the prices of ${day}`,
    columns: [
      { key: 'kind', title: 'what' },
      { key: 'name', title: 'of' },
      { key: 'least', title: 'at the least' },
      { key: 'most', title: 'at the most' },
      { key: 'fixed', title: 'fixed', as: 'money' },
      { key: 'scales', title: 'scales, up to', as: 'money' },
    ],
    rows: lines.map(({ kind, name, least, most, fixed, scales }) => ({ kind, name, least, most, fixed, scales })),
  };
}
