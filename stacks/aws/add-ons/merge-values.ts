/** Values of a Helm chart. */
export interface ChartValues {
  readonly [value: string]: unknown;
}

/** Values of a chart with others over them: maps are merged, all else is replaced, as Helm does it. */
export function mergeValues(values: ChartValues, over: ChartValues = {}): ChartValues {
  const merged: { [value: string]: unknown } = { ...values };
  for (const [key, value] of Object.entries(over)) {
    const own = merged[key];
    merged[key] = isMap(own) && isMap(value) ? mergeValues(own, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is ChartValues {
  // an Output is a value that comes later, and no map
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
