import { LEDGER_COLUMNS, type ColumnType } from '../../../constructs/plan/cost/columns';
import { Decimal } from '../../../constructs/plan/cost/money';
import type { LedgerRow } from '../../../constructs/plan/cost/row';
import type { DayMetadata } from '../ledger/day-metadata';

/** Name under which a file of the ledger says of itself what it is. */
const METADATA_KEY = 'mediform';

interface SchemaElement {
  readonly name: string;
  readonly type?: 'INT32' | 'INT64' | 'BYTE_ARRAY' | 'FIXED_LEN_BYTE_ARRAY';
  readonly type_length?: number;
  readonly repetition_type?: 'REQUIRED' | 'OPTIONAL';
  readonly converted_type?: 'UTF8' | 'DECIMAL' | 'DATE' | 'TIMESTAMP_MICROS';
  readonly logical_type?: {
    readonly type: 'TIMESTAMP';
    readonly isAdjustedToUTC: boolean;
    readonly unit: 'MICROS';
  };
  readonly precision?: number;
  readonly scale?: number;
  readonly num_children?: number;
}

/**
 * Rows as a Parquet file, with the columns, types and metadata of those that the ledger writes through DuckDB; without
 * DuckDB, which is native and does not fit into a ConfigMap. The same rows, in the same order, give the same bytes.
 */
export async function parquetOf(rows: readonly LedgerRow[], metadata: DayMetadata): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import('./hyparquet.mjs');
  const columns = LEDGER_COLUMNS.map(({ name, type, nullable }) => ({
    name,
    nullable,
    data: rows.map((row) => stored(row[name as keyof LedgerRow], type)),
  }));
  const schema: SchemaElement[] = [
    { name: 'schema', num_children: LEDGER_COLUMNS.length },
    ...LEDGER_COLUMNS.map(({ name, type, nullable }) => ({
      name,
      repetition_type: nullable ? ('OPTIONAL' as const) : ('REQUIRED' as const),
      ...elementOf(type),
    })),
  ];
  const buffer = parquetWriteBuffer({
    columnData: columns,
    schema,
    rowGroupSize: 122_880,
    kvMetadata: [{ key: METADATA_KEY, value: JSON.stringify(metadata) }],
    createdBy: 'mediform',
  });
  return new Uint8Array(buffer);
}

/** What a file of the ledger says of itself; reads its end alone. */
export async function metadataIn(file: Uint8Array): Promise<DayMetadata> {
  const { parquetMetadata } = await import('./hyparquet.mjs');
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
  const { key_value_metadata: pairs = [] } = parquetMetadata(buffer);
  const value = pairs.find(({ key }) => key === METADATA_KEY)?.value;
  if (value === undefined) {
    throw new Error('it is no file of a ledger');
  }
  return JSON.parse(value) as DayMetadata;
}

function elementOf(type: ColumnType): Omit<SchemaElement, 'name'> {
  const [, precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined) {
    return {
      ...decimalType(Number(precision)),
      converted_type: 'DECIMAL',
      precision: Number(precision),
      scale: Number(scale),
    };
  }
  switch (type) {
    case 'bigint':
      return { type: 'INT64' };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE' };
    case 'timestamp':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' },
      };
    default:
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
  }
}

/** What holds so many digits, as DuckDB chooses it. */
function decimalType(precision: number): Pick<SchemaElement, 'type' | 'type_length'> {
  if (precision > 18) {
    return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 };
  }
  return { type: precision > 9 ? 'INT64' : 'INT32' };
}

/** A value as its physical type has it. */
function stored(value: LedgerRow[keyof LedgerRow], type: ColumnType): unknown {
  if (value === undefined) {
    return undefined;
  }
  const scale = /,(\d+)\)$/.exec(type)?.[1];
  if (scale !== undefined) {
    const whole = new Decimal(value).times(new Decimal(10).pow(scale));
    if (!whole.isInteger()) {
      throw new Error(`${String(value)} does not fit ${type}, and the ledger never rounds`);
    }
    return BigInt(whole.toFixed(0));
  }
  switch (type) {
    case 'bigint':
      return BigInt(value as number);
    case 'date':
      return Date.parse(`${String(value)}T00:00:00Z`) / 86_400_000;
    case 'timestamp':
      return BigInt(Date.parse(String(value))) * 1000n;
    default:
      return String(value);
  }
}
