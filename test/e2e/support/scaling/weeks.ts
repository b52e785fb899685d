import { type PeakHours } from 'mediform';

/** Hours of every day, from and to some minutes after a moment. */
export function hours(moment: Date, from: number, to: number, timeZone: string): Omit<PeakHours, 'replicas'> {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const clock = (minutes: number): string => format.format(moment.getTime() + minutes * 60_000);
  return { start: clock(from), end: clock(to), timeZone };
}

/** Samples from ten minutes before the same moment of last week to ten minutes after it. */
export function lastWeek(moment: Date, value: (minute: number) => number): [unixSeconds: number, value: number][] {
  const middle = moment.getTime() / 1000 - 7 * 86_400;
  return Array.from({ length: 80 }, (_, index) => {
    const seconds = 15 * (index - 40);
    return [middle + seconds, value(seconds / 60)];
  });
}
