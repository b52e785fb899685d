/** Classes that the model knows; an unknown class beyond these takes the place of the one that was seen longest ago. */
const MAX_CLASSES = 512;
/** Next classes that are remembered of each class. */
const MAX_SUCCESSORS = 16;
/** At this many observations of a class its counts are halved, so that habits may change. */
const HALVE_AT = 1_024;

interface Row {
  total: number;
  readonly counts: Map<string, number>;
}

/** Which class of question follows which: a first-order Markov chain of bounded size, learned while it is used. */
export class NextClassModel {
  private readonly rows = new Map<string, Row>();

  /** Learns that `to` was asked after `from`. */
  learn(from: string, to: string): void {
    const row = this.rows.get(from) ?? { total: 0, counts: new Map<string, number>() };
    // the end of the map is the class seen last
    this.rows.delete(from);
    this.rows.set(from, row);
    if (this.rows.size > MAX_CLASSES) {
      dropFirst(this.rows);
    }
    if (!row.counts.has(to) && row.counts.size >= MAX_SUCCESSORS) {
      const [[rarest, count]] = [...row.counts].sort(([, a], [, b]) => a - b) as [[string, number]];
      row.counts.delete(rarest);
      row.total -= count;
    }
    row.counts.set(to, (row.counts.get(to) ?? 0) + 1);
    row.total++;
    if (row.total >= HALVE_AT) {
      halve(row);
    }
  }

  /** Classes that follow with at least this probability, the most probable first. */
  next(from: string, minProbability: number): readonly string[] {
    const { counts, total } = this.rows.get(from) ?? { counts: new Map<string, number>(), total: 0 };
    return [...counts]
      .filter(([, count]) => count / total >= minProbability)
      .sort(([, a], [, b]) => b - a)
      .map(([name]) => name);
  }
}

function halve(row: Row): void {
  row.total = 0;
  for (const [name, count] of row.counts) {
    const half = Math.floor(count / 2);
    if (half === 0) {
      row.counts.delete(name);
    } else {
      row.counts.set(name, half);
      row.total += half;
    }
  }
}

/** Takes the first key of a map away: the one inserted longest ago. */
export function dropFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
