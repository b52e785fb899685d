import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { flood } from './gateway/load';
import { Workshop } from './gateway/processes';
const split = (s: any): [number, number] => { const f = readFileSync(`/proc/${s.child.pid}/stat`, 'utf8').split(') ').at(-1)!.split(' '); return [Number(f[11]) * 1e4, Number(f[12]) * 1e4]; };
async function main() {
  const w = new Workshop(); await w.prepare();
  const bare = await w.server('bare'); const model = await w.server('model');
  const g = await w.gateway({ model: { name: 'r', version: '1', preprocessingVersion: '3' }, upstream: { port: model.port }, routes: [{ path: '/diagnose', cache: { kind: 'diagnosis' } }], logRequests: process.argv[3] as any ?? 'all' });
  const b = randomBytes(Number(process.argv[2] ?? 512));
  const out: Record<string, { u: number; s: number; r: number }[]> = { bare: [], gw: [] };
  for (let i = 0; i < Number(process.argv[4] ?? 14); i++) for (const [n, s] of [['bare', bare], ['gw', g]] as const) { const x = split(s); const r = await flood(s, '/diagnose', b, 1); const y = split(s); out[n]!.push({ u: (y[0] - x[0]) / r.perSecond, s: (y[1] - x[1]) / r.perSecond, r: r.perSecond }); }
  for (const k in out) { const l = out[k]!; const m = (f: (x: any) => number) => l.map(f).sort((a, b) => a - b).slice(0, 3).map((x) => x.toFixed(1)).join(' '); console.log(k, 'user', m((x) => x.u), 'sys', m((x) => x.s), 'sum', m((x) => x.u + x.s), 'rps', m((x) => -x.r)); }
  w.clear();
}
void main();
