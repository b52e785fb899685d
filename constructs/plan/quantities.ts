/** A span of time; cdk8s' `Duration` is one. */
export interface TimeSpan {
  /** Seconds; whole ones unless `integral` is false. */
  toSeconds(options?: { readonly integral?: boolean }): number;
}

/** An amount of memory or storage; cdk8s' `Size` is one. */
export interface ByteSize {
  /** Whole mebibytes (1024 × 1024 bytes). */
  toMebibytes(): number;
}

/** Kubernetes quantity of a number of cores: `2`, `2500m`. */
export function cpuQuantity(cores: number): string {
  return Number.isInteger(cores) ? String(cores) : `${Math.round(cores * 1000)}m`;
}

/** Kubernetes quantity of a number of mebibytes: `8Gi`, `8200Mi`. */
export function memoryQuantity(mebibytes: number): string {
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}
