import fc from 'fast-check';
import { CACHE_KINDS, type CacheKind } from '../../../constructs/plan/cache/kinds';
import { ALL, LogView, type LogRecord } from '../../../runtime/cache/log-view';
import { Validity } from '../../../runtime/cache/validity';

const kind = fc.constantFrom(...CACHE_KINDS);
const id = fc.constantFrom('a', 'b', 'c');
const event = fc.record({ dataType: kind, dataId: fc.oneof({ weight: 4, arbitrary: id }, fc.constant(ALL)) });
const subject = fc.record({ kind, ids: fc.uniqueArray(id), seq: fc.nat({ max: 20 }) });

function recorded(events: readonly { dataType: CacheKind; dataId: string }[]): LogRecord[] {
  return events.map((each, index) => ({ ...each, seq: index + 1, at: 0 }));
}

/** What condemns by definition: a later record of its kind, of all or of one of its ids. */
function condemnedByDefinition(
  records: readonly LogRecord[],
  { ids, kind: own, seq }: { readonly kind: CacheKind; readonly ids: readonly string[]; readonly seq: number },
): boolean {
  return records.some(
    (record) => record.seq > seq && record.dataType === own && (record.dataId === ALL || ids.includes(record.dataId)),
  );
}

test('an entry is condemned exactly by what was recorded after it', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), subject, (events, entry) => {
      const view = new LogView('redis', () => undefined);
      view.begin(7);
      view.apply(recorded(events));
      const condemned = view.condemns({ incarnation: 7, seq: entry.seq }, entry);
      expect(condemned).toBe(condemnedByDefinition(recorded(events), entry));
    }),
    { numRuns: 1_000 },
  );
});

test('with little memory, or records that are lost, more is condemned and never less', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 20 }),
      subject,
      fc.integer({ min: 1, max: 3 }),
      fc.func(fc.boolean()),
      fc.boolean(),
      (events, entry, memory, lost, skipped) => {
        const view = new LogView('redis', () => undefined, memory);
        view.begin(7);
        const records = recorded(events);
        view.apply(records.filter(({ seq }) => !lost(seq)));
        view.skipTo(skipped ? records.length : view.seq);
        if (view.seq === records.length && condemnedByDefinition(records, entry)) {
          expect(view.condemns({ incarnation: 7, seq: entry.seq }, entry)).toBe(true);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test('records that come twice or late change nothing', () => {
  const view = new LogView('redis', () => undefined);
  view.begin(7);
  const records = recorded([
    { dataType: 'diagnosis', dataId: 'a' },
    { dataType: 'diagnosis', dataId: 'b' },
  ]);
  view.apply(records);
  view.apply(records.slice(0, 1));
  expect(view.position).toEqual({ incarnation: 7, seq: 2 });
  expect(view.condemns({ incarnation: 7, seq: 1 }, { kind: 'diagnosis', ids: ['a'] })).toBe(false);
});

describe('with two logs', () => {
  const NOW = 1_000_000;
  const entry = (redis: [number, number], database: [number, number]) => ({
    kind: 'diagnosis' as const,
    ids: ['a'],
    positions: [redis, database].map(([incarnation, seq]) => ({ incarnation, seq })),
  });

  function twoLogs(): Validity {
    const validity = new Validity(['redis', 'database'], 2_000);
    validity.view('redis').begin(1);
    validity.view('database').begin(2);
    return validity;
  }

  test('nothing is served before a log was heard of, nor after all were silent for too long', () => {
    const validity = twoLogs();
    expect(validity.serving(NOW)).toBe(false);
    validity.confirm(validity.view('redis'), NOW);
    expect(validity.valid(entry([1, 0], [2, 0]), NOW + 1_999)).toBe(true);
    expect(validity.valid(entry([1, 0], [2, 0]), NOW + 2_000)).toBe(false);
    validity.confirm(validity.view('database'), NOW + 1_500);
    expect(validity.valid(entry([1, 0], [2, 0]), NOW + 2_000)).toBe(true);
    expect(validity.serving(NOW + 3_500)).toBe(false);
  });

  test('one log that knows the entry is enough to serve it, and one that condemns it is enough not to', () => {
    const validity = twoLogs();
    validity.confirm(validity.view('redis'), NOW);
    validity.confirm(validity.view('database'), NOW);
    // Redis has begun another life since the entry was written
    expect(validity.valid(entry([99, 5], [2, 0]), NOW)).toBe(true);
    expect(validity.valid(entry([99, 5], [98, 0]), NOW)).toBe(false);
    validity.view('database').apply([{ seq: 1, at: 0, dataType: 'diagnosis', dataId: 'a' }]);
    expect(validity.valid(entry([1, 0], [2, 0]), NOW)).toBe(false);
    expect(validity.valid(entry([1, 0], [2, 1]), NOW)).toBe(true);
  });

  test('a log that is silent cannot speak for an entry that only it knows', () => {
    const validity = twoLogs();
    validity.confirm(validity.view('redis'), NOW);
    expect(validity.valid(entry([0, 0], [2, 0]), NOW)).toBe(false);
  });

  test('a new life of a log counts as a change, since it was what an entry was valid by', () => {
    const validity = twoLogs();
    const { changes } = validity;
    validity.view('redis').begin(3);
    expect(validity.changes).toBeGreaterThan(changes);
  });

  test('an entry of a process that knows one log has its place in the order of both', () => {
    const onlyDatabase = new Validity(['database']);
    onlyDatabase.view('database').begin(2);
    expect(onlyDatabase.mark().positions).toEqual([
      { incarnation: 0, seq: 0 },
      { incarnation: 2, seq: 0 },
    ]);
  });
});
