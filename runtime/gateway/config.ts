import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { ConfigurationError, Problems } from '../../constructs/plan/errors';
import { checkGateway } from '../../constructs/plan/gateway/check';
import type { GatewayConfig } from '../../constructs/plan/gateway/config';
import { CACHE_KINDS } from '../../constructs/plan/cache/kinds';

const texts = z.optional(z.array(z.string()));
const text = z.optional(z.string());
const number = z.optional(z.number());
const priority = z.enum(['emergency', 'normal', 'batch']);
const classLimits = z.optional(z.strictObject({ concurrency: number, queueLength: number, maxWait: number }));

/** The shape of `GatewayConfig`; what the values may be is for `checkGateway`, and the cache's part for the cache. */
const schema = z.strictObject({
  service: z.string(),
  namespace: z.string(),
  model: z.strictObject({ name: z.string(), version: z.string(), preprocessingVersion: text }),
  upstream: z.strictObject({ port: z.number(), host: text, readinessPath: text }),
  listen: z.optional(
    z.strictObject({
      port: number,
      host: text,
      tls: z.optional(z.strictObject({ certificateFile: z.string(), keyFile: z.string(), clientAuthorityFile: text })),
      maxConnections: number,
      maxHeaderBytes: number,
    }),
  ),
  admin: z.optional(z.strictObject({ port: number, host: text })),
  defaultPriority: z.optional(priority),
  trustedCallers: z.optional(
    z.array(
      z.strictObject({
        cidrs: texts,
        secretFile: text,
        certificateNames: texts,
        priorities: z.optional(z.array(priority)),
      }),
    ),
  ),
  admission: z.optional(
    z.strictObject({
      concurrency: number,
      reserve: number,
      queueLength: number,
      batchAgeing: number,
      classes: z.optional(z.strictObject({ emergency: classLimits, normal: classLimits, batch: classLimits })),
    }),
  ),
  routes: z.optional(
    z.array(
      z.strictObject({
        path: z.string(),
        methods: texts,
        priority: z.optional(priority),
        maxBodyBytes: number,
        cache: z.optional(
          z.strictObject({
            kind: z.enum(CACHE_KINDS),
            key: z.optional(z.enum(['body', 'json', 'text'])),
            textFields: texts,
            headers: texts,
            tenantHeader: text,
            idHeaders: texts,
            credentials: z.optional(z.enum(['bypass', 'ignore'])),
            ttl: number,
            responseHeaders: texts,
            maxResponseBytes: number,
          }),
        ),
      }),
    ),
  ),
  unmatched: z.optional(z.enum(['forward', 'refuse'])),
  body: z.optional(
    z.strictObject({ bufferBytes: number, totalBufferBytes: number, maxBytes: number, minBytesPerSecond: number }),
  ),
  timeouts: z.optional(
    z.strictObject({ headers: number, idle: number, keepAlive: number, connect: number, upstream: number }),
  ),
  drain: z.optional(z.strictObject({ timeout: number })),
  tokenUsage: z.optional(z.strictObject({ input: texts, output: texts })),
  logRequests: z.optional(z.enum(['all', 'failures', 'none'])),
  cache: z.optional(z.custom<NonNullable<GatewayConfig['cache']>>((value) => typeof value === 'object')),
});

/**
 * Checks a configuration from JSON.
 *
 * @throws ConfigurationError that lists all that is wrong
 */
export function parseGatewayConfig(json: unknown): GatewayConfig {
  const problems = new Problems();
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      report(problems, issue, json);
    }
    problems.throwIfAny();
  }
  const config: GatewayConfig = parsed.data as z.infer<typeof schema>;
  checkGateway(problems, config);
  problems.throwIfAny();
  return config;
}

/**
 * Reads the configuration from a file.
 *
 * @throws ConfigurationError where the file cannot be read or is no such configuration
 */
export function readGatewayConfig(path: string): GatewayConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is no JSON' : `it cannot be read (${codeOf(error)})`;
    throw new ConfigurationError([`'config' (${path}) must be a JSON file because ${reason}`]);
  }
  return parseGatewayConfig(json);
}

function report(problems: Problems, issue: z.core.$ZodIssue, json: unknown): void {
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const property = path.replace(/^\./, '') || 'config';
  const value = issue.path.reduce<unknown>((at, part) => (at as { [key: PropertyKey]: unknown })?.[part], json);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const name = [path.replace(/^\./, ''), key].filter(Boolean).join('.');
      const given = (value as { [key: string]: unknown })[key];
      problems.check(false, name, given, 'not be given', 'there is no such property');
    }
  } else if (issue.code === 'invalid_value') {
    problems.check(false, property, value, `be one of ${issue.values.join(', ')}`, 'nothing else has a meaning');
  } else {
    const expected = issue.code === 'invalid_type' ? issue.expected : 'object';
    problems.check(false, property, value, `be of type ${expected}`, 'the gateway reads it as that');
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
