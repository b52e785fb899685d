/** `npm run bench [-- --quick]`: measures everything side by side, and fails when a bound is passed. */
import { median } from './measure';
import { compile, report, run, type Row } from './programs';

const quick = process.argv.includes('--quick');
const rounds = quick ? { scale: 3, stock: 7, load: 15 } : { scale: 7, stock: 25, load: 31 };

function scaleRows(): Row[] {
  const figures = run('scale', rounds.scale) as { readonly [figure: string]: number };
  const { hundred = NaN, thousand = NaN, tenCharts = NaN, hundredCharts = NaN } = figures;
  return [
    { what: 'synth of 100 services', against: '10 services', ratio: hundred, bound: 12 },
    { what: 'synth of 1,000 services', against: '100 services', ratio: thousand, bound: 12 },
    { what: '1,000 services in 10 charts', against: 'in one chart', ratio: tenCharts },
    { what: '1,000 services in 100 charts', against: 'in one chart', ratio: hundredCharts },
  ];
}

function stockRow(): Row {
  const { stock } = run('stock', rounds.stock) as { readonly stock: number };
  return { what: 'synth of 100 services', against: 'stock cdk8s, the same objects', ratio: stock, bound: 1.3 };
}

function loadRow(): Row {
  const load = (name: string): number => run('load', name) as number;
  const [ours, theirs] = ['mediform', 'cdk8s-plus-27'];
  // the first of each fills the caches of the disk
  load(ours);
  load(theirs);
  const ratio = median(Array.from({ length: rounds.load }, () => load(ours) / load(theirs)));
  return { what: `require('${ours}')`, against: `require('${theirs}')`, ratio, bound: 1.3 };
}

compile();
report([...scaleRows(), stockRow(), loadRow()]);
