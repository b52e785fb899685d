/** What an operator sees of the cache: metrics and spans, and nothing of a patient or a key in either. */
import { SpanStatusCode, trace, type Span, type SpanOptions, type TracerProvider } from '@opentelemetry/api';
import { Registry } from 'prom-client';
import { Fleet, counting, imageQuery, settle } from '../../support/cache';

interface Recorded {
  readonly tracer: string;
  readonly name: string;
  readonly options: SpanOptions | undefined;
  readonly told: unknown[];
  status: SpanStatusCode;
  ends: number;
}

/** Keeps the spans that are made. */
function recordSpans(): Recorded[] {
  const spans: Recorded[] = [];
  const startSpan = (tracer: string, name: string, options?: SpanOptions): Span => {
    const span: Recorded = { tracer, name, options, told: [], status: SpanStatusCode.UNSET, ends: 0 };
    spans.push(span);
    const tell = (...what: unknown[]): Span => {
      span.told.push(...what);
      return told as unknown as Span;
    };
    const told = {
      setAttribute: tell,
      setAttributes: tell,
      addEvent: tell,
      recordException: tell,
      updateName: tell,
      setStatus: (status: { code: SpanStatusCode; message?: string }) => {
        span.status = status.code;
        return tell(status.message);
      },
      end: () => span.ends++,
    };
    return told as unknown as Span;
  };
  const provider = {
    getTracer: (tracer: string) => ({ startSpan: startSpan.bind(undefined, tracer) }),
  };
  trace.setGlobalTracerProvider(provider as unknown as TracerProvider);
  return spans;
}

let fleet: Fleet;
let spans: Recorded[];
beforeEach(() => {
  fleet = new Fleet();
  spans = recordSpans();
});
afterEach(async () => {
  await fleet.close();
  trace.disable();
});

const names = (): string[] => spans.map(({ name }) => name);

test('a computation is a span, and so is everything that is asked of a tier', async () => {
  const cache = await fleet.process(['redis', 'database']);
  await cache.diagnosis.getOrCompute(imageQuery(), counting().compute);
  await settle();
  expect(names()).toEqual([
    ...['cache redis get', 'cache database get', 'cache redis lease', 'cache compute diagnosis'],
    ...['cache redis set', 'cache database set', 'cache redis lease'],
  ]);
  expect(new Set(spans.map(({ ends, status }) => `${ends} ${status}`))).toEqual(new Set(['1 0']));
  expect(new Set(spans.map(({ tracer }) => tracer))).toEqual(new Set(['mediform/cache']));
  // a hit in the process asks nobody
  spans.length = 0;
  await cache.diagnosis.getOrCompute(imageQuery(), counting().compute);
  expect(spans).toEqual([]);
});

test('what fails is a span that says so', async () => {
  const cache = await fleet.process(['redis']);
  fleet.servers.redis.down = true;
  const failing = (): Promise<never> => Promise.reject(new Error('model of Mustermann'));
  await expect(cache.diagnosis.getOrCompute(imageQuery(), failing)).rejects.toThrow('Mustermann');
  expect(spans.map(({ name, status, told }) => [name, status, ...told])).toEqual([
    ['cache redis get', SpanStatusCode.ERROR, 'connection'],
    ['cache redis lease', SpanStatusCode.ERROR, 'connection'],
    ['cache compute diagnosis', SpanStatusCode.ERROR, undefined],
  ]);
  expect(spans.every(({ ends }) => ends === 1)).toBe(true);
});

test('metrics tell hits, times, errors and bytes, by tier and kind', async () => {
  const registry = new Registry();
  const cache = await fleet.process(undefined, {}, { registry });
  await cache.diagnosis.getOrCompute(imageQuery(), counting().compute);
  await settle();
  await cache.diagnosis.get(imageQuery());
  fleet.servers.memcached.down = true;
  const reader = new Registry();
  fleet.servers.redis.entries.clear();
  const other = await fleet.process(undefined, {}, { registry: reader });
  expect((await other.diagnosis.get(imageQuery()))?.tier).toBe('database');
  await settle();

  const sealed = [...fleet.servers.redis.entries.values()][0]?.sealed.byteLength ?? 0;
  const [written, read] = [await registry.metrics(), await reader.metrics()];
  const lookups = (tier: string, outcome: string): string =>
    `mediform_cache_lookups_total{kind="diagnosis",tier="${tier}",outcome="${outcome}"} 1`;
  for (const line of [
    lookups('hot', 'hit'),
    lookups('hot', 'miss'),
    lookups('redis', 'miss'),
    'mediform_cache_tier_seconds_count{tier="redis",operation="set"} 1',
    `mediform_cache_written_bytes_total{tier="redis",kind="diagnosis"} ${sealed}`,
    'mediform_cache_entries{tier="hot",kind="diagnosis"} 1',
    'mediform_cache_computations_total{kind="diagnosis",outcome="stored"} 1',
  ]) {
    expect(written.split('\n')).toContain(line);
  }
  for (const line of [
    lookups('redis', 'miss'),
    lookups('memcached', 'error'),
    lookups('database', 'hit'),
    'mediform_cache_tier_errors_total{tier="memcached",operation="get",reason="connection"} 1',
  ]) {
    expect(read.split('\n')).toContain(line);
  }
  expect(written).toMatch(/mediform_cache_bytes\{tier="hot",kind="diagnosis"\} [1-9]/);
});

test('no key is in any label, name or message', async () => {
  const registry = new Registry();
  const cache = await fleet.process(undefined, {}, { registry });
  const ask = (): Promise<unknown> => cache.knowledge.getOrCompute(imageQuery(), counting().compute);
  const { dataId } = await cache.invalidation.entry('knowledge', 'study-4711');
  await ask();
  await settle();
  fleet.servers.redis.down = true;
  await cache.invalidation.entry('knowledge', 'study-4711').catch(() => undefined);
  fleet.clock.pass(86_400);
  await settle();
  await ask();
  await settle();
  await cache.optimizer.warmUp();
  const seen = (await registry.metrics()) + JSON.stringify(spans);
  const hash = cache.knowledge.key(imageQuery()).id.split(':')[2] ?? '';
  expect(seen).toContain('knowledge');
  for (const secret of [hash, dataId, 'study-4711']) {
    expect(secret).not.toBe('');
    expect(seen).not.toContain(secret);
  }
  // nor any other: keyed hashes are 43 characters without a break, which no name of ours is
  expect(seen.match(/\b[A-Za-z0-9-]{43}\b/g)).toBeNull();
});
