/** The SQL of the analyses is read alike by the grammars of Athena and of DuckDB, those of sqlglot. */
import { execFileSync } from 'node:child_process';
import { athenaSql, COST_QUERIES } from '../../constructs/plan/cost/queries';
import { FOCUS_PYTHON, whyNoFocusValidator } from './support/cost/focus-validator';
import { describeUnless } from './support/suite';

/** Tells of each text what keeps the two from agreeing; null where nothing does. */
const PROGRAM = `
import json, sys, sqlglot
from sqlglot import exp

# DuckDB's VARCHAR and TEXT are one type
def one_text(node):
    return exp.DataType.build("text") if isinstance(node, exp.DataType) and node.is_type("varchar") else node

def difference(sql):
    try:
        athena, duckdb = [sqlglot.parse_one(sql, dialect=name).transform(one_text) for name in ("athena", "duckdb")]
    except sqlglot.ParseError:
        return "a grammar does not have it"
    unknown = [each.name for each in athena.find_all(exp.Anonymous)]
    if unknown:
        return "unknown functions: " + ", ".join(unknown)
    return None if athena == duckdb else "it is read in two ways"

print(json.dumps([difference(sql) for sql in json.load(sys.stdin)]))
`;

function differences(...texts: readonly string[]): (string | null)[] {
  const options = { input: JSON.stringify(texts), encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(FOCUS_PYTHON, ['-c', PROGRAM], options)) as (string | null)[];
}

// sqlglot comes with the validator of FOCUS
describeUnless(whyNoFocusValidator(), 'the SQL of the analyses', () => {
  test('is read by Athena as by DuckDB', () => {
    const names = Object.keys(COST_QUERIES);
    const found = differences(...Object.values(COST_QUERIES).map((sql) => athenaSql(sql, 'costs')));
    expect(Object.fromEntries(names.map((name, index) => [name, found[index]]))).toEqual(
      Object.fromEntries(names.map((name) => [name, null])),
    );
  });

  test('that is not the same in both is found', () => {
    const found = differences(
      'SELECT a / b FROM ledger',
      'SELECT list_filter(a, x -> x > 1) FROM ledger',
      'SELECT a FROM ledger QUALIFY row_number() OVER () = 1',
      'SELECT a FROM ledger ORDER BY ALL',
    );
    expect(found).toEqual([
      'it is read in two ways',
      'unknown functions: list_filter',
      'a grammar does not have it',
      'it is read in two ways',
    ]);
  });
});
