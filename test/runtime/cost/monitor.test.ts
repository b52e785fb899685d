import { CostMonitor, Decimal, Ledger, LedgerError, type CostCategory } from 'mediform/cost';
import { inFolder, ledgerDay, row } from './support';

const COSTS: readonly (readonly [CostCategory, string, string])[] = [
  // two nodes of 24 hours at 1.006 and 32.7726
  ['gpu', 'node-1', '24.144'],
  ['gpu', 'node-2', '786.5424'],
  ['cpu', 'node-3', '9.6'],
  ['storage', 'pvc-1', '0.24'],
  ['network', 'traffic-internet', '1.242'],
  ['idle', 'node-3', '2.4'],
  ['shared', 'eks-control-plane', '2.4'],
  // 1.5 million tokens at 30, 250,000 at 60, for a million
  ['api', 'gpt-4', '45'],
  ['api', 'gpt-4 output', '15'],
  ['data_storage', 'images', '7.44'],
  // hours times rate: 8 of development, 2 of operations, 1 of review
  ['people', 'development', '736'],
  ['people', 'operations', '157'],
  ['people', 'review', '110'],
];

it('adds up a day: infrastructure, inference, storage and people', async () => {
  await inFolder(async (folder) => {
    const ledger = await Ledger.open(folder, { threads: 1 });
    const rows = COSTS.map(([x_Category, ResourceId, cost]) => row(cost, { x_Category, ResourceId }));
    await ledger.writeDay(ledgerDay('2026-03-02', rows));
    await ledger.writeDay(ledgerDay('2026-03-04', [row('0.5', {}, '2026-03-04')]));
    const monitor = new CostMonitor(ledger);

    const cost = await monitor.day('2026-03-02');
    const { byCategory, day, currency, ...groups } = cost;
    expect([day, currency]).toEqual(['2026-03-02', 'EUR']);
    expect(Object.fromEntries(Object.entries(groups).map(([name, amount]) => [name, amount.toFixed()]))).toEqual({
      infrastructure: '826.5684',
      inference: '60',
      storage: '7.44',
      people: '1003',
      total: '1897.0084',
      totalWithoutPeople: '894.0084',
    });
    expect(Object.fromEntries(Object.entries(byCategory).map(([name, amount]) => [name, amount.toFixed()]))).toEqual({
      gpu: '810.6864',
      cpu: '9.6',
      storage: '0.24',
      network: '1.242',
      api: '60',
      data_storage: '7.44',
      people: '1003',
      idle: '2.4',
      shared: '2.4',
    });
    expect((await monitor.days('2026-03-01', '2026-03-31')).map(({ day: each, total }) => [each, total])).toEqual([
      ['2026-03-02', new Decimal('1897.0084')],
      ['2026-03-04', new Decimal('0.5')],
    ]);
    await expect(monitor.day('2026-03-03')).rejects.toThrow(LedgerError);
    await expect(monitor.day('2026-03-03')).rejects.toThrow('the ledger has no 2026-03-03; collect it first');
    await ledger.close();
  });
});

it('shows a day without rows as a day that cost nothing', async () => {
  await inFolder(async (folder) => {
    const ledger = await Ledger.open(folder, { threads: 1 });
    await ledger.writeDay(ledgerDay('2026-03-02', []));
    const monitor = new CostMonitor(ledger);
    expect((await monitor.day('2026-03-02')).total).toEqual(new Decimal(0));
    expect(await monitor.days('2026-03-01', '2026-03-31')).toHaveLength(1);
    await ledger.close();
  });
});
