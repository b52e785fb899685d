/** How far apart a zone's offset is looked at, in seconds. The tz database has no two changes closer than weeks. */
const SCAN_STEP = 7 * 24 * 3600;

/** A moment at which a zone's offset from UTC changes. */
export interface OffsetChange {
  /** First second of the new offset, in seconds since 1970-01-01 UTC. */
  readonly at: number;
  /** Local time minus UTC from then on, in seconds. */
  readonly offsetSeconds: number;
}

/** A zone's offsets over some years. */
export interface UtcOffsets {
  /** Local time minus UTC at the start of the first year, in seconds. */
  readonly initial: number;
  /** Changes after that, in order of time. */
  readonly changes: readonly OffsetChange[];
}

const offsetCache = new Map<string, UtcOffsets>();

/**
 * A zone's offsets from UTC, exact to the second, for all of the given years.
 *
 * @param timeZone IANA name
 * @param fromYear first year, from its start in UTC
 * @param toYear last year, to its end in UTC
 * @throws RangeError when this machine does not know the zone
 */
export function utcOffsets(timeZone: string, fromYear: number, toYear: number): UtcOffsets {
  const key = `${timeZone} ${fromYear} ${toYear}`;
  const known = offsetCache.get(key);
  if (known !== undefined) {
    return known;
  }
  const offsetAt = offsetReader(timeZone);
  const from = Date.UTC(fromYear, 0, 1) / 1000;
  const to = Date.UTC(toYear + 1, 0, 1) / 1000;
  const initial = offsetAt(from);
  const changes: OffsetChange[] = [];
  let before = from;
  let offset = initial;
  while (before < to - 1) {
    const after = Math.min(before + SCAN_STEP, to - 1);
    const offsetSeconds = offsetAt(after);
    if (offsetSeconds !== offset) {
      changes.push({ at: firstSecondOf(offsetAt, offset, before, after), offsetSeconds });
      offset = offsetSeconds;
    }
    before = after;
  }
  const offsets = { initial, changes };
  offsetCache.set(key, offsets);
  return offsets;
}

/** Reads a zone's offset at a second since 1970 from the tz database that comes with the JavaScript engine. */
function offsetReader(timeZone: string): (second: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (second) => {
    const local: { [type: string]: number } = {};
    for (const { type, value } of format.formatToParts(second * 1000)) {
      local[type] = Number(value);
    }
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second: s = 0 } = local;
    return Date.UTC(year, month - 1, day, hour, minute, s) / 1000 - second;
  };
}

/** First second after `before` whose offset is no longer `offset`; at `after` it is not. */
function firstSecondOf(offsetAt: (second: number) => number, offset: number, before: number, after: number): number {
  let inside = before;
  let outside = after;
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (offsetAt(middle) === offset) {
      inside = middle;
    } else {
      outside = middle;
    }
  }
  return outside;
}
