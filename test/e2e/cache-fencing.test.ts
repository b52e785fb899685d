/** What real servers hold after late writers, partial losses and tampering. */
import { readFileSync } from 'node:fs';
import type { CacheConfig, Computed } from 'mediform/cache';
import { createClient, RESP_TYPES } from 'redis';
import { CacheFleet, study } from './support/cache-fleet';
import { describeWithStores } from './support/stores';
import { waitFor } from './support/wait';

describeWithStores('entries on servers', ['redis', 'memcached', 'postgres'], () => {
  let fleet: CacheFleet;
  beforeAll(async () => {
    fleet = await CacheFleet.start();
  }, 60_000);
  afterEach(() => fleet.closeCaches());
  afterAll(() => fleet.stop());

  const text = (body: string, ttlSeconds?: number) => (): Promise<Computed> =>
    Promise.resolve({ value: { body: Buffer.from(body) }, ...(ttlSeconds !== undefined && { ttlSeconds }) });

  async function redisClient() {
    const { url, caFile = '', passwordFile = '' } = fleet.redis.config;
    const client = createClient({
      url,
      password: readFileSync(passwordFile, 'utf8'),
      socket: { tls: true, ca: readFileSync(caFile) },
    }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await client.connect();
    return client;
  }

  test.each<[string, Partial<CacheConfig>]>([
    ['all tiers', {}],
    ['Redis alone', { memcached: undefined, database: undefined }],
    ['the database alone', { redis: undefined, memcached: undefined }],
  ])(
    'a late writer brings nothing back that was invalidated while it computed: %s',
    async (_, tiers) => {
      const config = fleet.config(tiers);
      const [{ cache: writer }, { cache: other, metrics }] = [await fleet.open(config), await fleet.open(config)];
      let end: (computed: Computed) => void = () => undefined;
      const begun = new Promise<void>((resolve) => {
        void writer.diagnosis.getOrCompute(study(1), () => {
          resolve();
          return new Promise((finish) => (end = finish));
        });
      });
      await begun;
      // as by a process that is asleep from here on: it does not look before it writes
      const before = writer.diagnosis.mark();
      await other.invalidation.diagnosis('study-1');
      end({ value: { body: Buffer.from('withdrawn') } });
      await writer.diagnosis.set(study(1), { value: { body: Buffer.from('withdrawn, too') } }, before);
      const { cache: fresh } = await fleet.open(config);
      // who has not heard of it yet may serve what it has itself, for a moment
      await waitFor('the writer to hear', async () => (await writer.diagnosis.get(study(1))) === undefined);
      for (const cache of [writer, other, fresh]) {
        expect(await cache.diagnosis.get(study(1))).toBeUndefined();
      }
      // and what is computed from now on is kept
      await other.diagnosis.getOrCompute(study(1), text('new'));
      await waitFor('the new one to be stored', async () => (await metrics(/computations_total.*"stored"/)) === 1);
      for (const cache of [writer, fresh]) {
        const answer = await cache.diagnosis.get(study(1));
        expect(Buffer.from(answer?.value?.body ?? []).toString()).toBe('new');
      }
    },
    60_000,
  );

  test('what is written back to Redis has the time that is left', async () => {
    const config = fleet.config();
    const { cache, metrics } = await fleet.open(config);
    await cache.diagnosis.getOrCompute(study(1), text('x', 100));
    await waitFor('it to be stored', async () => (await metrics(/computations_total.*"stored"/)) === 1);
    const name = `${config.namespace}:${cache.diagnosis.key(study(1)).id}`;
    const redis = await redisClient();
    try {
      expect(await redis.unlink(name)).toBe(1);
      const { cache: reader } = await fleet.open(config);
      const answer = await reader.diagnosis.get(study(1));
      expect(answer?.tier).toBe('memcached');
      await waitFor('it to be written back', async () => (await redis.exists(name)) === 1);
      const left = (answer?.expiresAt ?? 0) - Date.now();
      const ttl = await redis.pTTL(name);
      expect(ttl).toBeGreaterThan(0);
      // a little later it is less, never more
      expect(ttl).toBeLessThanOrEqual(left + 50);
    } finally {
      redis.destroy();
    }
  }, 60_000);

  test('a changed entry is a miss and an alarm, and the tier below answers', async () => {
    const config = fleet.config();
    const { cache, metrics } = await fleet.open(config);
    await cache.diagnosis.getOrCompute(study(1), text('benign'));
    await waitFor('it to be stored', async () => (await metrics(/computations_total.*"stored"/)) === 1);
    const name = `${config.namespace}:${cache.diagnosis.key(study(1)).id}`;
    const redis = await redisClient();
    try {
      const sealed = await redis.get(name);
      const changed = Buffer.from(sealed ?? '');
      expect(changed.includes('benign')).toBe(false);
      changed.writeUInt8(changed.readUInt8(changed.length - 20) ^ 1, changed.length - 20);
      await redis.set(name, changed);
    } finally {
      redis.destroy();
    }
    const { cache: reader, metrics: seen } = await fleet.open(config);
    const answer = await reader.diagnosis.get(study(1));
    expect([answer?.tier, Buffer.from(answer?.value?.body ?? []).toString()]).toEqual(['memcached', 'benign']);
    expect(await seen(/key_faults_total.*"not_authentic"/)).toBe(1);
  }, 60_000);
});
