/** `npm run bench:pulumi [-- --quick]`: the adapter's speed, and the memory that its types cost a program's compiler. */
import { compile, report, run } from '../programs';
import { typeCheckRows } from './type-check';

const quick = process.argv.includes('--quick');

compile('pulumi');
const { adapter = NaN, whole = NaN } = run('pulumi/register', quick ? 5 : 15) as { readonly [figure: string]: number };
const against = 'typed @pulumi/kubernetes resources';
report([
  { what: 'registering 1,000 objects', against, ratio: adapter, bound: 1.2 },
  { what: 'constructing and registering them', against, ratio: whole },
  ...typeCheckRows(),
]);
