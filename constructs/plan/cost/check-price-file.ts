import { Problems } from '../errors';
import { isDay } from './days';
import { Decimal, PRICE_SCALE } from './money';
import type { PriceFile } from './price-file';

const CURRENCY = /^[A-Z]{3}$/;
const DECIMAL = /^\d+(\.\d+)?$/;
/** Prices and rates from here on would not fit the ledger's columns. */
const TOO_LARGE = new Decimal('1e9');

/** Units of each kind of price, and the properties that say what it is for; a value of `true` is any text. */
const KINDS: {
  readonly [kind: string]: {
    readonly units: readonly string[];
    readonly required: { readonly [property: string]: true | readonly string[] };
    readonly optional?: readonly string[];
  };
} = {
  instance: {
    units: ['Hours'],
    required: { instanceType: true, region: true, capacityType: ['on-demand', 'spot', 'reserved'] },
    optional: ['zone'],
  },
  volume: { units: ['GB-Months'], required: { volumeType: true, region: true } },
  network: { units: ['GB'], required: { traffic: ['zone', 'region', 'internet'], region: true } },
  model: {
    units: ['1000000 Input Tokens', '1000000 Output Tokens', '1000 Calls', 'Hours'],
    required: { model: true },
  },
  'data-storage': { units: ['GB-Months'], required: { storageClass: true, region: true } },
  people: { units: ['Hours'], required: { activity: ['development', 'operations', 'review'] } },
  shared: { units: ['Hours'], required: { name: true }, optional: ['region'] },
};
const OF_EVERY_PRICE = ['kind', 'unit', 'price', 'listPrice', 'sku', 'validFrom', 'validTo'];
const OF_A_FILE = [
  'source',
  'provider',
  'published',
  'currency',
  'validFrom',
  'validTo',
  'prices',
  'exchangeRates',
] as const satisfies readonly (keyof PriceFile)[];

interface Unchecked {
  readonly [property: string]: unknown;
}

/**
 * Checks what a price file holds.
 *
 * @param file what the file's YAML or JSON says
 * @param name by which problems name it
 * @returns it, as a price file
 * @throws ConfigurationError with all that is wrong with it
 */
export function parsePriceFile(file: unknown, name: string): PriceFile {
  const problems = new Problems();
  if (!isObject(file)) {
    problems.check(false, name, file, 'be an object', 'a price file has source, published, currency and prices');
    problems.throwIfAny();
    return file as PriceFile;
  }
  noOthers(problems, name, file, OF_A_FILE);
  isText(problems, name, file, 'source', 'every amount says where its price is from');
  isText(problems, name, file, 'provider', 'every amount says whom it is paid to');
  problems.check(isDayText(file.published), `${name}.published`, file.published, DAY, 'a price has a date');
  isCurrency(problems, `${name}.currency`, file.currency);
  checkValidity(problems, name, file, true);
  if (
    problems.check(Array.isArray(file.prices), `${name}.prices`, file.prices, 'be a list', 'each of them is a price')
  ) {
    (file.prices as unknown[]).forEach((price, index) => checkPrice(problems, `${name}.prices[${index}]`, price));
  }
  const rates = file.exchangeRates ?? [];
  if (problems.check(Array.isArray(rates), `${name}.exchangeRates`, rates, 'be a list', 'each of them is a rate')) {
    (rates as unknown[]).forEach((rate, index) => checkRate(problems, `${name}.exchangeRates[${index}]`, rate));
  }
  problems.throwIfAny();
  return file as unknown as PriceFile;
}

const DAY = 'be a day YYYY-MM-DD';

function checkPrice(problems: Problems, name: string, price: unknown): void {
  const given = isObject(price) ? price : {};
  const kind = KINDS[String(given.kind)];
  const kinds = Object.keys(KINDS).join(', ');
  if (
    !problems.check(kind !== undefined, `${name}.kind`, given.kind, `be one of ${kinds}`, 'nothing else has a price')
  ) {
    return;
  }
  const { units, required, optional = [] } = kind as NonNullable<typeof kind>;
  noOthers(problems, name, given, [...OF_EVERY_PRICE, ...Object.keys(required), ...optional]);
  const unit = `be ${units.join(' or ')}`;
  problems.check(units.includes(String(given.unit)), `${name}.unit`, given.unit, unit, 'usage is counted in it');
  isPrice(problems, `${name}.price`, given.price);
  if (given.listPrice !== undefined) {
    isPrice(problems, `${name}.listPrice`, given.listPrice);
  }
  for (const [property, values] of Object.entries(required)) {
    if (values === true) {
      isText(problems, name, given, property, 'it says what the price is for');
    } else {
      const [value, must] = [given[property], `be one of ${values.join(', ')}`];
      problems.check(values.includes(String(value)), `${name}.${property}`, value, must, 'usage is told apart by it');
    }
  }
  checkValidity(problems, name, given, false);
}

function checkRate(problems: Problems, name: string, rate: unknown): void {
  const given = isObject(rate) ? rate : {};
  noOthers(problems, name, given, ['from', 'to', 'rate']);
  isCurrency(problems, `${name}.from`, given.from);
  isCurrency(problems, `${name}.to`, given.to);
  isPrice(problems, `${name}.rate`, given.rate);
}

function checkValidity(problems: Problems, name: string, given: Unchecked, required: boolean): void {
  const [from, to] = [given.validFrom, given.validTo];
  const isRight = (value: unknown): boolean => isDayText(value) || (!required && value === undefined);
  const checks = [
    problems.check(isRight(from), `${name}.validFrom`, from, DAY, 'a price holds from some day on'),
    problems.check(isRight(to), `${name}.validTo`, to, DAY, 'a price that never ends would be used when it is stale'),
  ];
  if (checks.every(Boolean) && typeof from === 'string' && typeof to === 'string') {
    problems.check(from <= to, `${name}.validTo`, to, `not be before ${from}`, 'it would hold on no day');
  }
}

function isPrice(problems: Problems, name: string, value: unknown): void {
  const isDecimal = typeof value === 'string' && DECIMAL.test(value);
  const must = 'be a decimal number in quotes';
  if (problems.check(isDecimal, name, value, must, 'a number without quotes is read as a binary float')) {
    const price = new Decimal(value as string);
    problems.check(
      price.lessThan(TOO_LARGE) && price.decimalPlaces() <= PRICE_SCALE,
      name,
      value,
      `be below ${TOO_LARGE.toFixed()} and have at most ${PRICE_SCALE} digits after the point`,
      'the ledger keeps it exactly',
    );
  }
}

function isCurrency(problems: Problems, name: string, value: unknown): void {
  const ok = typeof value === 'string' && CURRENCY.test(value);
  problems.check(ok, name, value, 'be three capital letters', 'ISO 4217 names currencies so');
}

function isText(problems: Problems, name: string, given: Unchecked, property: string, because: string): void {
  const value = given[property];
  const ok = typeof value === 'string' && value.trim() !== '';
  problems.check(ok, `${name}.${property}`, value, 'be a text', because);
}

/** A misspelt property would be left out in silence. */
function noOthers(problems: Problems, name: string, given: Unchecked, known: readonly string[]): void {
  for (const property of Object.keys(given).filter((each) => !known.includes(each))) {
    problems.check(
      false,
      `${name}.${property}`,
      given[property],
      'not be given',
      `only these are known: ${known.join(', ')}`,
    );
  }
}

function isObject(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDayText(value: unknown): boolean {
  return typeof value === 'string' && isDay(value);
}
