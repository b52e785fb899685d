/** Images that the library runs where the user names no others. Tags are exact: what runs does not change by itself. */
export const IMAGES = {
  /** Node 24 LTS, which the programs are bundled for. */
  node: 'docker.io/library/node:24.18.0-bookworm-slim',
  valkey: 'docker.io/valkey/valkey:9.1.2-alpine',
  valkeyExporter: 'docker.io/oliver006/redis_exporter:v1.89.0',
  memcached: 'docker.io/library/memcached:1.6.45-alpine',
  memcachedExporter: 'quay.io/prometheus/memcached-exporter:v0.16.0',
} as const;
