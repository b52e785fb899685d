import type { CacheKind, TierName } from '../../constructs/plan/cache/kinds';
import type { CacheKey } from './keys';

/** SHA-256 of a content that was hashed while it streamed by. */
export interface ContentHash {
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** What an answer depends on. All of it goes into the key, as a keyed hash. */
export interface CacheQuery {
  /**
   * Bytes of the image or of the model's input, or the text of a question. Texts are brought into canonical form: Unicode
   * NFC, white space collapsed. Letters keep their case, since `MS` and `ms` are different things in medicine.
   */
  readonly content: Uint8Array | string | ContentHash;
  /** Name of the model, or of the index that is searched. */
  readonly model: string;
  /** Its version. A new version never answers with an old one's results. */
  readonly modelVersion: string;
  /** Version of what happens to the content before the model sees it. */
  readonly preprocessingVersion: string;
  /** All else that changes the answer: path, parameters, language, the caller's rights. @default - nothing */
  readonly variant?: string;
  /**
   * Identifiers by which the entry may be invalidated later: of the diagnosis, the study, the patient. Kept as keyed
   * hashes only. They are part of the key, so that no caller gets an entry which does not know of its identifiers. The
   * content is one by itself, and need not be named.
   *
   * @default - none but the content
   */
  readonly ids?: readonly string[];
}

/** What is cached: bytes, and how to read them. */
export interface CacheValue {
  readonly body: Uint8Array;
  /** Media type. @default - none */
  readonly contentType?: string;
  /** Small facts to keep beside the body, such as a content encoding. Encrypted like the body. @default - none */
  readonly metadata?: { readonly [name: string]: string };
}

/** What a computation gives. */
export interface Computed {
  /** `undefined` where the true answer is that there is none; cached only where `negativeTtlSeconds` allows it. */
  readonly value: CacheValue | undefined;
  /** Seconds to keep it, never more than the kind allows. @default - the kind's lifetime */
  readonly ttlSeconds?: number;
  /** Off where the answer must not be kept. @default true */
  readonly store?: boolean;
}

/** Computes what is in no tier. */
export type Compute = (context: {
  /** `refresh` while the caller already has an answer that will expire soon. */
  readonly reason: 'miss' | 'refresh';
  /** Ends when the cache is closed. */
  readonly signal: AbortSignal;
}) => Promise<Computed>;

/** How to answer one call. */
export interface ComputeOptions {
  /** Seconds to keep the fact that there is no answer. @default 0 */
  readonly negativeTtlSeconds?: number;
}

/** An answer, and where it comes from. */
export interface CacheAnswer {
  /** `undefined` where it is known that there is none. */
  readonly value: CacheValue | undefined;
  /** Tier that had it; `compute` where none had. */
  readonly tier: TierName | 'compute';
  /** Milliseconds since it was computed. */
  readonly ageMs: number;
  /** Version of the model that computed it. */
  readonly modelVersion: string;
  /** Past its lifetime, and served since computing anew failed. Only ever true for knowledge. */
  readonly stale: boolean;
  /** When it stops being fresh, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The cache of one kind. A query may be given each time, or its key, made once with `key()`. */
export interface KindCache {
  readonly kind: CacheKind;
  /** The key of a query. Holds a keyed hash and nothing that could be led back to a patient. */
  key(query: CacheQuery): CacheKey;
  /** A fresh answer from the nearest tier; undefined where none has one. Never throws for a tier's sake. */
  get(query: CacheQuery | CacheKey): Promise<CacheAnswer | undefined>;
  /** A fresh answer from the hot tier, without a promise; undefined where it has none. */
  peek(key: CacheKey): CacheAnswer | undefined;
  /**
   * Writes to all tiers, and waits for them. Tiers that fail are counted, not thrown.
   *
   * @param since what `mark()` gave before the work on the value began: an invalidation after it keeps the value out
   */
  set(query: CacheQuery | CacheKey, computed: Computed, since: CacheMark): Promise<void>;
  /** Notes what has been invalidated so far; take it before the value is computed. */
  mark(): CacheMark;
  /**
   * The nearest tier's answer, or else computes it once, whoever else asks for it, in this process or another one. Writes
   * the result to all tiers in the background.
   *
   * @throws what `compute` threw, where nothing may be served instead
   */
  getOrCompute(query: CacheQuery | CacheKey, compute: Compute, options?: ComputeOptions): Promise<CacheAnswer>;
}

/** How far a process had read the logs of invalidations. Opaque. */
export interface CacheMark {
  readonly positions: readonly LogPosition[];
}

/** A place in a log of invalidations. */
export interface LogPosition {
  /** Which life of the log, a random number of 47 bits; 0 where it was never heard of. */
  readonly incarnation: number;
  readonly seq: number;
}

/** What was recorded of an invalidation. */
export interface InvalidationReceipt {
  readonly dataType: CacheKind;
  /** Keyed hash, as announced on the channel; `*` for all of a kind. */
  readonly dataId: string;
}

/**
 * Makes entries unreadable, in every tier, reachable or not. A promise that resolves means: in force on every process
 * within `maxStalenessMs`; one that cannot hear of it stops serving from the cache within that time.
 *
 * @throws InvalidationError where a log could not record it: it says whether another one did
 */
export interface CacheInvalidation {
  /** One diagnosis, by any of the `ids` that its query had. */
  diagnosis(id: string): Promise<InvalidationReceipt>;
  /** Entries of any kind by one of their `ids`. */
  entry(kind: CacheKind, id: string): Promise<InvalidationReceipt>;
  /** Entries of any kind by their content. */
  content(kind: CacheKind, content: CacheQuery['content']): Promise<InvalidationReceipt>;
  /** All knowledge, in constant time. */
  knowledge(): Promise<InvalidationReceipt>;
  /** All entries of a kind, in constant time. */
  all(kind: CacheKind): Promise<InvalidationReceipt>;
  /** All entries that one version of a model computed, in constant time. */
  version(kind: CacheKind, model: string, modelVersion: string): Promise<InvalidationReceipt>;
}

/** A computation to do ahead of the question. */
export interface PrefetchCandidate {
  readonly kind: CacheKind;
  readonly query: CacheQuery;
  readonly compute: Compute;
}

/** What asking ahead needs to know of the service. */
export interface PrefetchSource {
  /** The questions of a class that a user would ask; classes are names of kinds of questions, and hold no identifier. */
  candidates(user: string, queryClass: string): Promise<readonly PrefetchCandidate[]>;
  /** Whether the user may see the answer now. Asked again right before each computation. */
  authorise(user: string, candidate: PrefetchCandidate): Promise<boolean>;
}

/** Raises the hit rate. */
export interface CacheOptimizer {
  /**
   * Loads what was stored last from the database tier into the tiers above, within the bounds of the configuration.
   *
   * @returns number of entries loaded
   */
  warmUp(): Promise<number>;
  /** Asks and, where the answer is missing, computes some queries ahead; bounded like `warmUp()`. */
  warmUpWith(candidates: AsyncIterable<PrefetchCandidate> | Iterable<PrefetchCandidate>): Promise<number>;
  /** Warms up now and again every so many seconds, until the cache is closed. */
  schedule(everySeconds: number): void;
  /**
   * Learns what a user asked, and computes ahead what they will probably ask next. Returns at once.
   *
   * @param user kept as a keyed hash, in memory only
   * @param queryClass name of a class of questions, such as `ct-thorax-prior`; no identifier
   */
  observe(user: string, queryClass: string): void;
  /**
   * Tells all processes that the data of a model's outputs have changed. How often that happens is how long they live.
   * Invalidates nothing by itself.
   *
   * @throws InvalidationError where it could not be recorded
   */
  recordUpdate(model: string): Promise<void>;
}

/** The cache: a hot tier in the process before Redis, Memcached and PostgreSQL. */
export interface MedicalCache {
  readonly diagnosis: KindCache;
  readonly knowledge: KindCache;
  readonly modelOutput: KindCache;
  readonly invalidation: CacheInvalidation;
  readonly optimizer: CacheOptimizer;
  /** The cache of a kind by name. */
  of(kind: CacheKind): KindCache;
  /** What the tiers and logs are doing, for a readiness page. A cache without tiers still serves, so it is never unready. */
  status(): CacheStatus;
  /** Ends background work and connections; waits for writes that are under way, for at most a second. */
  close(): Promise<void>;
}

/** State of the tiers and of the logs of invalidations. */
export interface CacheStatus {
  /** Whether answers may come from the cache: some log of invalidations was heard of within `maxStalenessMs`. */
  readonly serving: boolean;
  readonly tiers: { readonly [T in TierName]?: 'ok' | 'half-open' | 'open' };
}
