/** What a cached service has around it, besides the servers of its cache. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, Chart, Duration, Size } from 'cdk8s';
import { Client } from 'pg';
import { MedicalInferenceService, TieredCache } from '../../../constructs';
import type { DatabaseTierConfig } from '../../../constructs/plan/cache/config';
import type { CertificateAuthority } from './certificates';

/** A cache in one namespace, and a service that uses it in another. */
export function hospital(
  databasePort: number,
  modelPort: number,
  { port, adminPort }: { readonly port: number; readonly adminPort: number },
  warmUp?: 'off',
): { app: App; cache: TieredCache } {
  const app = new App();
  const cache = new TieredCache(new Chart(app, 'cache', { namespace: 'cache' }), 'results', {
    keyRing: { secret: 'keyring', key: 'keyring.json' },
    tls: { issuer: { name: 'hospital' } },
    warmUp,
    redis: { password: { secret: 'redis', key: 'password' }, memory: Size.mebibytes(128) },
    memcached: { memory: Size.mebibytes(128) },
    database: {
      host: 'localhost',
      port: databasePort,
      database: 'postgres',
      user: 'results_app',
      password: { secret: 'database', key: 'password' },
      owner: { user: 'results_owner', password: { secret: 'owner', key: 'password' } },
      authority: { configMap: 'rds', key: 'ca.pem' },
    },
  });
  new MedicalInferenceService(new Chart(app, 'imaging', { namespace: 'imaging' }), 'ct', {
    image: 'registry.example/ct:1',
    model: { name: 'resnet50', version: '1', preprocessingVersion: '1' },
    port: modelPort,
    slowestRequest: Duration.seconds(20),
    cache,
    gateway: {
      port,
      adminPort,
      routes: [{ path: '/v1/diagnose', cache: { kind: 'diagnosis', idHeaders: ['x-study-uid'] } }],
    },
  });
  return { app, cache };
}

export interface Model {
  readonly server: Server;
  readonly port: number;
  /** Diagnoses that were asked of it. */
  readonly calls: number;
}

/** A model that counts, and takes its time where it is asked to. */
export async function startModel(): Promise<Model> {
  let calls = 0;
  const server = createServer((request, response) => {
    if (request.url === '/readyz') {
      response.end('ok');
      return;
    }
    const url = new URL(request.url ?? '', 'http://model');
    request.resume().on('end', () => {
      calls += 1;
      const text = `diagnosis ${calls}`;
      void sleep(Number(url.searchParams.get('ms') ?? 0)).then(() => response.end(text));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    get calls() {
      return calls;
    },
  };
}

/** A certificate for some names, as a Secret holds it. */
export function certificate(
  authority: CertificateAuthority,
  hosts: readonly string[],
): { readonly 'tls.crt': string; readonly 'tls.key': string } {
  const issued = authority.issue({ commonName: 'results', hosts });
  return { 'tls.crt': issued.certificate, 'tls.key': issued.key };
}

/** What a user of the cache shows to Memcached, as a Secret holds it. */
export function clientCertificate(authority: CertificateAuthority): {
  readonly 'tls.crt': string;
  readonly 'tls.key': string;
} {
  return certificate(authority, []);
}

/** The two roles of a database that somebody else has made. */
export async function makeRoles(config: DatabaseTierConfig, passwords: { app: string; owner: string }): Promise<void> {
  await sql(
    config,
    `CREATE ROLE results_owner LOGIN PASSWORD '${passwords.owner}';
     CREATE ROLE results_app LOGIN PASSWORD '${passwords.app}';
     GRANT CREATE ON SCHEMA public TO results_owner`,
  );
}

/** Asks the database as the one who made it. */
export async function sql<Row extends object>(
  { host, port, database, user, passwordFile, caFile }: DatabaseTierConfig,
  text: string,
): Promise<{ rows: Row[] }> {
  const password = readFileSync(passwordFile as string, 'utf8');
  const client = new Client({
    host,
    port,
    database,
    user,
    password,
    ssl: { ca: readFileSync(caFile as string, 'utf8') },
  });
  await client.connect();
  try {
    return await client.query<Row>(text);
  } finally {
    await client.end();
  }
}
