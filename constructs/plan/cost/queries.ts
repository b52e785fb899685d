/**
 * The SQL of all analyses, once: DuckDB and Athena both take it. It keeps to what the two agree on: sums of decimals are
 * exact in both, whereas averages and quotients of decimals are not, so none is here; counts are cast, since DuckDB adds
 * whole numbers up to another type. Every parameter is there once, in order: Athena knows no numbers of parameters.
 *
 * None asks for `BillingCurrency`: a ledger has one currency, so any row says it, and asking ten million of them takes a
 * fifth of the time of a query.
 */
export const COST_QUERIES = {
  /** `$1`, `$2`: first and last day. A row for each service and category. */
  byService: `SELECT x_Service AS service, x_Category AS category, SUM(EffectiveCost) AS cost,
  CAST(SUM(x_Calls) AS BIGINT) AS calls
FROM ledger
WHERE day BETWEEN CAST($1 AS DATE) AND CAST($2 AS DATE)
GROUP BY x_Service, x_Category`,

  /** `$1`, `$2`: first and last day. A row for each model. */
  byModel: `SELECT x_Model AS model, SUM(EffectiveCost) AS cost,
  SUM(x_UsageHours) AS hours, CAST(SUM(x_Calls) AS BIGINT) AS calls
FROM ledger
WHERE day BETWEEN CAST($1 AS DATE) AND CAST($2 AS DATE) AND x_Model IS NOT NULL
GROUP BY x_Model`,

  /** `$1`, `$2`: first and last day. A row for each day. */
  byDay: `SELECT CAST(day AS VARCHAR) AS day, SUM(EffectiveCost) AS cost
FROM ledger
WHERE day BETWEEN CAST($1 AS DATE) AND CAST($2 AS DATE)
GROUP BY day`,

  /** `$1`, `$2`: first and last day. A row for each day and category. */
  byDayAndCategory: `SELECT CAST(day AS VARCHAR) AS day, x_Category AS category, SUM(EffectiveCost) AS cost
FROM ledger
WHERE day BETWEEN CAST($1 AS DATE) AND CAST($2 AS DATE)
GROUP BY day, x_Category`,

  /** `$1`, `$2`: first and last day. A row for each day and service. */
  byDayAndService: `SELECT CAST(day AS VARCHAR) AS day, x_Service AS service, SUM(EffectiveCost) AS cost
FROM ledger
WHERE day BETWEEN CAST($1 AS DATE) AND CAST($2 AS DATE)
GROUP BY day, x_Service`,

  /** `$1`, `$2`: first and last day. A row for each source of prices and confidence: what the sums rest on. */
  sources: `SELECT x_PriceSource AS source, x_Confidence AS confidence, SUM(EffectiveCost) AS cost,
  CAST(MAX(x_PriceDate) AS VARCHAR) AS published
FROM ledger
WHERE day BETWEEN CAST($1 AS DATE) AND CAST($2 AS DATE)
GROUP BY x_PriceSource, x_Confidence`,

  /**
   * `$1`, `$2`: first and last day. What advice is made of, in one pass over the ledger:
   *
   * - a row for each service, model, priority, category and way to pay. `used` is the cost weighted by its utilisation,
   *   `measured` the cost whose utilisation is known.
   * - a row for each SKU, which has no category, as every row of the ledger has one. `nodes` is what nodes of that kind
   *   cost, null where it is no kind of node; `idle` what of that nobody held.
   */
  advice: `SELECT x_Service AS service, x_Model AS model, x_Priority AS priority, x_Category AS category,
  PricingCategory AS pricing, SkuId AS sku, SUM(EffectiveCost) AS cost,
  SUM(EffectiveCost * x_Utilisation) AS used,
  SUM(CASE WHEN x_Utilisation IS NULL THEN NULL ELSE EffectiveCost END) AS measured,
  SUM(x_UsageHours) AS hours, MAX(x_Utilisation) AS peak, CAST(SUM(x_Calls) AS BIGINT) AS calls,
  CAST(SUM(x_CacheHits) AS BIGINT) AS hits,
  SUM(CASE WHEN ResourceType = 'Node' THEN EffectiveCost ELSE NULL END) AS nodes,
  SUM(CASE WHEN ResourceType = 'Node' AND x_Category = 'idle' THEN EffectiveCost ELSE NULL END) AS idle
FROM ledger
WHERE day BETWEEN CAST($1 AS DATE) AND CAST($2 AS DATE)
GROUP BY GROUPING SETS ((x_Service, x_Model, x_Priority, x_Category, PricingCategory), (SkuId))
ORDER BY service, model, priority, category, pricing, sku`,
} as const;

/** The same text for Athena, whose parameters have no numbers, and whose statements know no database of their own. */
export function athenaSql(sql: string, database: string): string {
  return sql.replaceAll(/\$\d+/g, '?').replaceAll('FROM ledger', `FROM "${database}"."ledger"`);
}
