import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import autocannon from 'autocannon';
import { setTimeout as sleep } from 'node:timers/promises';
async function main() {
  const c = spawn(process.execPath, ['--cpu-prof', '--cpu-prof-dir=/tmp/prof/out', '-e', `process.argv[2]='bare';process.on('SIGTERM',()=>process.exit());require('/tmp/prof/server.js')`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((r) => c.stdout!.once('data', (d) => r(Number(d))));
  await sleep(500);
  const r = await autocannon({ url: `http://127.0.0.1:${port}/diagnose`, method: 'POST', body: randomBytes(512), connections: 20, duration: 5 });
  console.log(r.requests.average, r.non2xx);
  c.kill('SIGTERM'); await sleep(1500);
}
void main();
