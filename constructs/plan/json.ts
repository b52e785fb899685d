/** A configuration as its reader will see it: what is undefined is not there. */
export function asJson<T>(config: T): T {
  return JSON.parse(JSON.stringify(config)) as T;
}

/** The text of a configuration file. */
export function jsonFile(config: object): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}
