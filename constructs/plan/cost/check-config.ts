import { Problems } from '../errors';
import { DAYS, isTimeZone, type Day } from '../weekly-window';
import type { CostConfig } from './config';
import { isDay } from './days';

const PROPERTIES: { readonly [P in keyof Required<CostConfig>]: true } = {
  currency: true,
  billingAccount: true,
  cluster: true,
  timeZone: true,
  region: true,
  prometheus: true,
  volumeTypes: true,
  people: true,
  shared: true,
  dataStores: true,
  bill: true,
  sharedNamespaces: true,
  sharedCosts: true,
  selfHostedModels: true,
};

interface Unchecked {
  readonly [property: string]: unknown;
}

/**
 * Checks what the ledger is made from.
 *
 * @param config what the configuration's YAML or JSON says
 * @returns it, as a configuration
 * @throws ConfigurationError with all that is wrong with it
 */
export function parseCostConfig(config: unknown): CostConfig {
  const problems = new Problems();
  const given = isObject(config) ? config : {};
  noOthers(problems, '', given, Object.keys(PROPERTIES));
  text(problems, 'cluster', given.cluster, 'rows of two clusters would not be told apart');
  text(problems, 'region', given.region, 'prices differ from region to region');
  matches(
    problems,
    'currency',
    given.currency,
    /^[A-Z]{3}$/,
    'be three capital letters',
    'ISO 4217 names currencies so',
  );
  const zone = given.timeZone ?? 'UTC';
  const zoneOk = isTimeZone(zone);
  problems.check(zoneOk, 'timeZone', zone, 'be an IANA time zone such as Europe/Berlin', 'it says when a day starts');
  const account = isObject(given.billingAccount) ? given.billingAccount : {};
  noOthers(problems, 'billingAccount.', account, ['id', 'name']);
  text(problems, 'billingAccount.id', account.id, 'every row says who pays');
  text(problems, 'billingAccount.name', account.name, 'every row says who pays');
  checkPrometheus(problems, isObject(given.prometheus) ? given.prometheus : {});
  const rule = given.sharedCosts ?? 'keep';
  oneOf(problems, 'sharedCosts', rule, ['keep', 'by-cost', 'equally']);
  texts(problems, 'sharedNamespaces', given.sharedNamespaces);
  texts(problems, 'selfHostedModels', given.selfHostedModels);
  const types = given.volumeTypes ?? {};
  const typesOk = isObject(types) && Object.values(types).every(isText);
  problems.check(typesOk, 'volumeTypes', types, 'have a text for each storage class', 'it names a price');
  each(problems, 'people', given.people, ['activity', 'hoursPerDay', 'days', 'from', 'to', 'service'], checkPeople);
  each(problems, 'shared', given.shared, ['name', 'from', 'to'], (name, entry) => {
    text(problems, `${name}.name`, entry.name, 'it names a price');
    span(problems, name, entry);
  });
  each(problems, 'dataStores', given.dataStores, ['name', 'storageClass', 'bytes', 'service'], (name, entry) => {
    text(problems, `${name}.name`, entry.name, 'the ledger names it');
    text(problems, `${name}.storageClass`, entry.storageClass, 'it names a price');
    text(problems, `${name}.bytes`, entry.bytes, 'Prometheus is asked it');
  });
  if (given.bill !== undefined) {
    const bill = isObject(given.bill) ? given.bill : {};
    noOthers(problems, 'bill.', bill, ['location', 'format']);
    text(problems, 'bill.location', bill.location, 'the bill is read from it');
    oneOf(problems, 'bill.format', bill.format, ['focus', 'cur-2.0']);
  }
  problems.throwIfAny();
  return config as CostConfig;
}

function checkPrometheus(problems: Problems, given: Unchecked): void {
  noOthers(problems, 'prometheus.', given, ['url', 'minimumCoverage', 'timeoutSeconds']);
  const { url, minimumCoverage: coverage = 0.98, timeoutSeconds: timeout = 120 } = given;
  matches(
    problems,
    'prometheus.url',
    url,
    /^https?:\/\/[^/]/,
    'be an address http://... or https://...',
    'it is asked',
  );
  const part = typeof coverage === 'number' && coverage > 0 && coverage <= 1;
  problems.check(part, 'prometheus.minimumCoverage', coverage, 'be over 0 and at most 1', 'it is a part of the day');
  const positive = typeof timeout === 'number' && timeout > 0;
  problems.check(positive, 'prometheus.timeoutSeconds', timeout, 'be over 0', 'no query is faster');
}

function checkPeople(name: string, entry: Unchecked, problems: Problems): void {
  const { hoursPerDay: hours, days = ['Mon'] } = entry;
  oneOf(problems, `${name}.activity`, entry.activity, ['development', 'operations', 'review']);
  const must = 'be a decimal number in quotes';
  matches(
    problems,
    `${name}.hoursPerDay`,
    hours,
    /^\d+(\.\d{1,6})?$/,
    must,
    'a number without quotes is a binary float',
  );
  const daysOk = Array.isArray(days) && days.length > 0 && days.every((day: Day) => DAYS.includes(day));
  problems.check(daysOk, `${name}.days`, days, `list at least one of ${DAYS.join(', ')}`, 'people work on days');
  span(problems, name, entry);
}

function span(problems: Problems, name: string, { from, to }: Unchecked): void {
  for (const [property, day] of [
    ['from', from],
    ['to', to],
  ] as const) {
    const ok = day === undefined || (typeof day === 'string' && isDay(day));
    problems.check(ok, `${name}.${property}`, day, 'be a day YYYY-MM-DD', 'the entry holds from one day to another');
  }
}

function each(
  problems: Problems,
  name: string,
  entries: unknown,
  properties: readonly string[],
  check: (name: string, entry: Unchecked, problems: Problems) => void,
): void {
  const list = entries ?? [];
  if (problems.check(Array.isArray(list), name, list, 'be a list', 'it has any number of entries')) {
    (list as unknown[]).forEach((entry, index) => {
      const given = isObject(entry) ? entry : {};
      noOthers(problems, `${name}[${index}].`, given, properties);
      check(`${name}[${index}]`, given, problems);
    });
  }
}

function matches(problems: Problems, name: string, value: unknown, is: RegExp, must: string, because: string): void {
  problems.check(typeof value === 'string' && is.test(value), name, value, must, because);
}

function text(problems: Problems, name: string, value: unknown, because: string): void {
  problems.check(isText(value), name, value, 'be a text', because);
}

function texts(problems: Problems, name: string, value: unknown): void {
  const ok = value === undefined || (Array.isArray(value) && value.every(isText));
  problems.check(ok, name, value, 'be a list of texts', 'each of them is a name');
}

function oneOf(problems: Problems, name: string, value: unknown, values: readonly string[]): void {
  problems.check(
    values.includes(value as string),
    name,
    value,
    `be one of ${values.join(', ')}`,
    'nothing else is known',
  );
}

/** A misspelt property would be left out in silence. */
function noOthers(problems: Problems, prefix: string, given: Unchecked, known: readonly string[]): void {
  for (const property of Object.keys(given).filter((name) => !known.includes(name))) {
    const must = 'not be given';
    problems.check(false, `${prefix}${property}`, given[property], must, `only these are known: ${known.join(', ')}`);
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function isObject(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
