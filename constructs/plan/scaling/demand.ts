import { utcOffsets } from '../utc-offsets';
import { weekIntervals } from '../weekly-window';
import type { PeakPlan, ScalingPlan, SignalPlan } from './props';
import type { RecordingRule } from './rules';
import { Series } from './series';

/** Years for which a time zone's daylight saving is written into the rules. */
const OFFSET_YEARS = { from: 2026, to: 2037 };
const WEEK_SECONDS = 7 * 86_400;
/** 1 January 1970 was a Thursday, three days after a Monday. */
const EPOCH_AFTER_MONDAY_SECONDS = 3 * 86_400;

type Recorder = (name: string, expr: string, extra?: { [label: string]: string }) => RecordingRule;
type OwnSeries = (series: string, extra?: string) => string;

/**
 * Rules that keep replicas ready before they are asked for: one floor for each reason, and the highest of them.
 *
 * A floor is a number of replicas, so the HPA takes it as an average value of 1 for each replica. The HPA ignores a
 * difference of up to 10 %; a floor just above what is there is therefore raised to one step that it does act on.
 */
export function demandRules(scaling: ScalingPlan, record: Recorder, own: OwnSeries): RecordingRule[] {
  if (!hasFloor(scaling)) {
    return [];
  }
  const floor = (reason: string, expr: string): RecordingRule => record(Series.FLOOR_REASON, expr, { reason });
  const rules = [floor('minimum', `vector(${scaling.minReplicas})`)];

  for (const timeZone of new Set(scaling.peaks.map((peak) => peak.window.timeZone))) {
    rules.push(record(Series.WEEK_MINUTE, weekMinute(timeZone), { time_zone: timeZone }));
  }
  scaling.peaks.forEach((peak, index) => rules.push(floor(`peak-${index}`, peakFloor(peak, own))));

  const utilisation = scaling.signals.find(
    ({ signal }) => signal === 'gpu_utilization' || signal === 'cpu_utilization',
  );
  if (scaling.forecastLeadSeconds !== undefined && utilisation !== undefined) {
    rules.push(record(Series.DEMAND, demand(utilisation, own)));
    rules.push(floor('forecast', forecastFloor(scaling.forecastLeadSeconds, own)));
  }

  const errors = scaling.signals.find(({ signal }) => signal === 'error_rate');
  if (errors !== undefined && scaling.errorStepSeconds !== undefined) {
    const before = `max(min_over_time(${own(Series.REPLICAS)}[${scaling.errorStepSeconds}s]))`;
    const failing = `max(${own(Series.SIGNAL, ',signal="error_rate"')}) > ${errors.scaleOutAbove}`;
    rules.push(floor('errors', `${nextStep(before)} and ${failing}`));
  }

  const replicas = `max(${own(Series.REPLICAS)})`;
  const others = `max(${own(Series.FLOOR_REASON, ',reason!="tolerance"')})`;
  rules.push(floor('tolerance', `${nextStep(replicas)} and ${replicas} < ${others}`));
  rules.push(record(Series.FLOOR, `max(${own(Series.FLOOR_REASON)})`));
  return rules;
}

/** Whether the autoscaler follows a floor besides `minReplicas`. */
export function hasFloor(scaling: ScalingPlan): boolean {
  return (
    scaling.peaks.length > 0 || scaling.forecastLeadSeconds !== undefined || scaling.errorStepSeconds !== undefined
  );
}

/** The smallest number of replicas that is over the HPA's tolerance of 10 %. */
function nextStep(replicas: string): string {
  return `${replicas} + 1 + floor(${replicas} / 10)`;
}

/** Minute of the week in a time zone: its UTC offset changes at known moments, each of which adds its difference. */
function weekMinute(timeZone: string): string {
  const { initial, changes } = utcOffsets(timeZone, OFFSET_YEARS.from, OFFSET_YEARS.to);
  let offset = initial;
  const steps = changes.map((change) => {
    const difference = change.offsetSeconds - offset;
    offset = change.offsetSeconds;
    return ` ${difference < 0 ? '-' : '+'} ${Math.abs(difference)} * (time() >= bool ${change.at})`;
  });
  const shift = EPOCH_AFTER_MONDAY_SECONDS + initial;
  return `vector((time() + ${shift}${steps.join('')}) % ${WEEK_SECONDS} / 60)`;
}

function peakFloor(peak: PeakPlan, own: OwnSeries): string {
  const minute = `max(${own(Series.WEEK_MINUTE, `,time_zone="${peak.window.timeZone}"`)})`;
  const intervals = weekIntervals(peak.window, peak.leadMinutes);
  const inside = intervals.map(({ start, end }) => `${minute} >= ${start} < ${end}`);
  return `vector(${peak.replicas}) and (${inside.join(' or ')})`;
}

function demand(utilisation: SignalPlan, own: OwnSeries): string {
  const pods = utilisation.signal === 'gpu_utilization' ? Series.POD_GPU : Series.POD_CPU;
  return `sum(${own(pods)}) / ${utilisation.target}`;
}

/** The most that was needed last week between this moment of it and `lead` later. */
function forecastFloor(leadSeconds: number, own: OwnSeries): string {
  const lastWeek = `${own(Series.DEMAND)}[${leadSeconds}s] offset ${WEEK_SECONDS - leadSeconds}s`;
  return `ceil(max(max_over_time(${lastWeek})))`;
}
