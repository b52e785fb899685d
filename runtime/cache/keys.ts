import type { CacheKind } from '../../constructs/plan/cache/kinds';

/** Key of an entry, made by `KindCache.key()`. */
export interface CacheKey {
  readonly kind: CacheKind;
  /** `kind:vN:HMAC` under the current key: safe to show, and of no use to who lacks the key ring. */
  readonly id: string;
}
