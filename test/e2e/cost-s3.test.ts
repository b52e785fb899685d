import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DamagedLedgerError, Decimal, Ledger } from 'mediform/cost';
import { dayBounds } from '../../constructs/plan/cost/days';
import { readBill } from '../../runtime/cost/collect/bill';
import { Engine } from '../../runtime/cost/ledger/engine';
import { ledgerDay, row } from '../runtime/cost/support';
import { ensureBinaries, whyNotBuildable } from './support/binaries';
import { freePorts } from './support/ports';
import { Processes } from './support/processes';
import { BUILD_TIMEOUT_MS, describeUnless } from './support/suite';
import { waitFor } from './support/wait';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';

const BUCKET = 'hospital-costs';
const SUM = 'SELECT SUM(EffectiveCost) AS cost FROM ledger';

describeUnless(whyNotBuildable(['gofakes3']), 'a ledger in S3', () => {
  let processes: Processes;
  let client: S3Client;
  let s3: { readonly endpoint: string; readonly region: string; readonly forcePathStyle: true };
  const before = { ...process.env };

  beforeAll(async () => {
    const { gofakes3 } = await ensureBinaries(['gofakes3']);
    processes = await Processes.start();
    const [port] = await freePorts(1);
    const args = ['-backend', 'memory', '-host', `127.0.0.1:${port}`, '-initialbucket', BUCKET];
    processes.run({ name: 'gofakes3', command: gofakes3, args });
    // where the SDK looks for credentials
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    s3 = { endpoint: `http://127.0.0.1:${port}`, region: 'eu-central-1', forcePathStyle: true };
    client = new S3Client(s3);
    await waitFor('the bucket', () => client.send(new ListObjectsV2Command({ Bucket: BUCKET })), {
      guard: () => processes.assertRunning(),
    });
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    client?.destroy();
    await processes?.stop();
    process.env = before;
  });

  async function keys(prefix: string): Promise<(string | undefined)[]> {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
    return Contents.map(({ Key }) => Key);
  }

  it('is written, read by another, replaced and seen anew', async () => {
    const [writer, reader] = await Promise.all([1, 2].map(() => Ledger.open(`s3://${BUCKET}/a/ledger/`, { s3 })));
    if (writer === undefined || reader === undefined) {
      throw new Error('not opened');
    }
    expect(await reader.days()).toEqual([]);
    await writer.writeDay(ledgerDay('2026-03-01', [row('1', {}, '2026-03-01')]));
    await writer.writeDay(ledgerDay('2026-03-02', [row('2')]));
    expect(await keys('a/')).toEqual(['01', '02'].map((day) => `a/ledger/day=2026-03-${day}/part-0.parquet`));
    expect(await reader.query(SUM)).toEqual([{ cost: new Decimal(3) }]);
    await writer.writeDay(ledgerDay('2026-03-02', [row('20')]));
    expect(await reader.query(SUM)).toEqual([{ cost: new Decimal(21) }]);
    expect(await writer.query(SUM)).toEqual([{ cost: new Decimal(21) }]);
    expect(await reader.gaps('2026-03-01', '2026-03-03')).toEqual(['2026-03-03']);
    await Promise.all([writer.close(), reader.close()]);
  });

  it('has the same bytes as one in a folder', async () => {
    const ledger = await Ledger.open(`s3://${BUCKET}/same`, { s3 });
    const local = await Ledger.open(join(processes.folder, 'ledger'));
    const day = ledgerDay('2026-03-02', [row('2.5'), row('0.1', { ResourceId: 'node-2' })]);
    await Promise.all([ledger.writeDay(day), local.writeDay(day)]);
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: 'same/day=2026-03-02/part-0.parquet' }),
    );
    const digest = (bytes: Uint8Array | undefined): string =>
      createHash('sha256')
        .update(bytes ?? '')
        .digest('hex');
    const file = readFileSync(join(processes.folder, 'ledger', 'day=2026-03-02', 'part-0.parquet'));
    expect(digest(await Body?.transformToByteArray())).toBe(digest(file));
    await Promise.all([ledger.close(), local.close()]);
  });

  it('names a damaged object, and loses no other day', async () => {
    const ledger = await Ledger.open(`s3://${BUCKET}/damaged`, { s3 });
    for (const day of ['2026-03-01', '2026-03-02']) {
      await ledger.writeDay(ledgerDay(day, [row('1', {}, day)]));
    }
    const Key = 'damaged/day=2026-03-01/part-0.parquet';
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'no Parquet, but something' }));
    await expect(ledger.query(SUM)).rejects.toThrow(DamagedLedgerError);
    await expect(ledger.query(SUM)).rejects.toThrow(`s3://${BUCKET}/${Key} is damaged`);
    expect(await ledger.query(SUM, [], { skipDamaged: true })).toEqual([{ cost: new Decimal(1) }]);
    await ledger.close();
  });

  it('is corrected by a bill that is there, too', async () => {
    const path = join(processes.folder, 'bill.parquet');
    const engine = await Engine.start('256MB', 1);
    await engine.run(`COPY (SELECT 'i-0abc' AS ResourceId, TIMESTAMP '2026-03-02' AS ChargePeriodStart,
      TIMESTAMP '2026-03-03' AS ChargePeriodEnd, 'EUR' AS BillingCurrency, 'Usage' AS ChargeCategory,
      1.5 AS BilledCost, 1.5 AS EffectiveCost, 1.5 AS ContractedCost, 2.0 AS ListCost) TO '${path}' (FORMAT parquet)`);
    engine.close();
    const Key = 'bill/data/BILLING_PERIOD=2026-03/hospital-00001.parquet';
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: readFileSync(path) }));
    const settings = { location: `s3://${BUCKET}/bill`, format: 'focus' } as const;
    const bill = await readBill(settings, '2026-03-02', dayBounds('2026-03-02', 'UTC'), 'EUR', s3);
    expect(bill).toMatchObject([{ resourceId: 'i-0abc', effective: new Decimal('1.5'), list: new Decimal(2) }]);
  });
});
