import { LogFollower } from '../../../runtime/cache/logs/follower';
import { Validity } from '../../../runtime/cache/validity';
import { Clock, MemoryServer } from '../../support/cache';

const CT = { dataType: 'diagnosis', dataId: 'ct' } as const;

function following(): { clock: Clock; server: MemoryServer; validity: Validity; follower: LogFollower } {
  const clock = new Clock();
  const server = new MemoryServer(clock);
  const validity = new Validity(['redis'], 2_000);
  const follower = new LogFollower(server.log('redis'), validity, clock.now, 500, 1_000);
  return { clock, server, validity, follower };
}

test('what is appended is in force when that is over', async () => {
  const { clock, follower, validity } = following();
  await follower.sync();
  const before = { kind: 'diagnosis', ids: ['ct'], positions: validity.mark().positions } as const;
  await follower.append([CT]);
  expect(validity.valid(before, clock.now())).toBe(false);
  expect(validity.valid({ ...before, positions: validity.mark().positions }, clock.now())).toBe(true);
});

test('what was recorded during a disconnect is in force before anything is served again', async () => {
  const { clock, follower, server, validity } = following();
  await follower.sync();
  const before = { kind: 'diagnosis', ids: ['ct'], positions: validity.mark().positions } as const;
  server.records.push({ ...CT, seq: 1, at: 0 });
  server.down = true;
  clock.pass(3);
  await expect(follower.sync()).rejects.toThrow('down');
  expect(validity.serving(clock.now())).toBe(false);
  server.down = false;
  await follower.sync();
  expect(validity.serving(clock.now())).toBe(true);
  expect(validity.valid(before, clock.now())).toBe(false);
});

test('confirmed is the time of the question, not that of the answer', async () => {
  const { clock, follower, server, validity } = following();
  const answer = server.answer.bind(server);
  server.answer = (give) => answer(give).finally(() => clock.pass(1.5));
  await follower.sync();
  expect(validity.serving(clock.now())).toBe(true);
  clock.pass(0.5);
  expect(validity.serving(clock.now())).toBe(false);
});

test('a log that has begun another life condemns what only it knew', async () => {
  const { clock, follower, server, validity } = following();
  await follower.sync();
  const before = { kind: 'diagnosis', ids: ['ct'], positions: validity.mark().positions } as const;
  server.incarnation = 2;
  await follower.sync();
  expect(validity.valid(before, clock.now())).toBe(false);
});

test('a log that has lost records is made to begin another life', async () => {
  const { follower, server, validity } = following();
  await follower.sync();
  await follower.append([CT]);
  server.records.length = 0;
  await expect(follower.sync()).rejects.toThrow('has lost records');
  expect(server.incarnation).toBe(2);
  await follower.sync();
  expect(validity.mark().positions[0]).toEqual({ incarnation: 2, seq: 0 });
});

test('records that are no longer there condemn all that is older', async () => {
  const { clock, follower, server, validity } = following();
  await follower.sync();
  const before = { kind: 'knowledge', ids: ['unrelated'], positions: validity.mark().positions } as const;
  server.records.push({ ...CT, seq: 1, at: 0 }, { ...CT, seq: 2, at: 0 });
  const log = server.log('redis');
  const forgetful = new LogFollower({ ...log, read: () => Promise.resolve([]) }, validity, clock.now, 500, 1_000);
  await forgetful.sync();
  expect(validity.mark().positions[0]?.seq).toBe(2);
  expect(validity.valid(before, clock.now())).toBe(false);
});

test('a log that does not answer is given up in time', async () => {
  const { clock, server, validity } = following();
  const silent = { ...server.log('redis'), head: () => new Promise<never>(() => undefined) };
  const follower = new LogFollower(silent, validity, clock.now, 500, 10);
  await expect(follower.sync()).rejects.toThrow('did not answer in time');
});
