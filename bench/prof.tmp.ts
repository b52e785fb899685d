import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import autocannon from 'autocannon';
import { setTimeout as sleep } from 'node:timers/promises';
async function main() {
  await build({ entryPoints: { gateway: 'runtime/gateway/main.ts', server: 'bench/gateway/server.ts' }, outdir: '/tmp/prof', bundle: true, keepNames: false, platform: 'node', target: 'node20', external: ['pg-native'], sourcemap: false });
  writeFileSync('/tmp/prof/c.json', JSON.stringify({ service: 'ct', namespace: 'x', model: { name: 'r', version: '1', preprocessingVersion: '3' }, upstream: { port: 25999 }, listen: { port: 25001, host: '127.0.0.1' }, admin: { port: 25002, host: '127.0.0.1' }, routes: [{ path: '/diagnose', cache: { kind: 'diagnosis' } }], cache: { namespace: 'bench' } }));
  const { createServer } = await import('node:http');
  const m = createServer((q, r) => { q.resume(); q.on('end', () => { r.setHeader('content-type', 'application/json'); r.end(Buffer.alloc(280, 'x')); }); }).listen(25999, '127.0.0.1');
  const c = spawn(process.execPath, ['--cpu-prof', '--cpu-prof-dir=/tmp/prof/out', '/tmp/prof/gateway.js'], { env: { PATH: process.env.PATH!, MEDIFORM_CONFIG: '/tmp/prof/c.json' }, stdio: ['ignore', 'ignore', 'inherit'] });
  await sleep(2500);
  const r = await autocannon({ url: 'http://127.0.0.1:25001/diagnose', method: 'POST', body: randomBytes(Number(process.argv[2] ?? 512)), connections: 20, duration: 6 });console.log('total',r.requests.total);
  console.log(r.requests.average, r.non2xx);
  c.kill('SIGTERM'); await sleep(1500); m.close();
}
void main();
