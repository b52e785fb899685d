import { createServer, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import { startGateway } from '../runtime/gateway';
import http from 'node:http';
class Wire extends Duplex {
  onReply: () => void = () => undefined;
  override _read(): void {}
  override _write(_c: Buffer, _e: string, done: () => void): void { done(); this.onReply(); }
  override _writev(_c: unknown, done: () => void): void { done(); this.onReply(); }
  setTimeout(): this { return this; } setNoDelay(): this { return this; } setKeepAlive(): this { return this; } ref(): this { return this; } unref(): this { return this; }
  remoteAddress = '127.0.0.1';
}
function run(server: Server, n: number): Promise<number> {
  return new Promise((resolve) => {
    const body = Buffer.alloc(512, 'q');
    const head = Buffer.from(`POST /diagnose HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nContent-Length: 512\r\n\r\n`);
    const bytes = Buffer.concat([head, body]);
    const wires = Array.from({ length: 20 }, () => { const w = new Wire(); server.emit('connection', w); return w; });
    let left = n; const start = process.hrtime.bigint();
    for (const w of wires) { w.onReply = () => { if (--left > 0) setImmediate(() => w.push(bytes)); else if (left === 0) { resolve(Number(process.hrtime.bigint() - start) / n / 1e3); } }; w.push(bytes); }
  });
}
async function main() {
  const A = Buffer.from(JSON.stringify({ finding: 'no acute finding', probability: 0.98, note: 'x'.repeat(200) }));
  const answer = (r: http.ServerResponse) => { r.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(A.length)]); r.end(A); };
  const bare = createServer((q, r) => { q.resume(); q.on('end', () => answer(r)); });
  const model = createServer((q, r) => { q.resume(); q.on('end', () => answer(r)); });
  await new Promise<void>((r) => model.listen(25999, '127.0.0.1', r));
  let server!: Server;
  const real = http.createServer; (http as any).createServer = (...a: any[]) => { const s = (real as any)(...a); server ??= s; return s; };
  const g = await startGateway({ service: 'ct', namespace: 'x', model: { name: 'r', version: '1', preprocessingVersion: '3' }, upstream: { port: 25999 }, listen: { port: 25001, host: '127.0.0.1' }, admin: { port: 25002, host: '127.0.0.1' }, routes: [{ path: '/diagnose', cache: { kind: 'diagnosis' } }], cache: { namespace: 'bench' } }, { write: () => undefined });
  const w = new Wire(); server.emit('connection', w); w.push(Buffer.from(`POST /diagnose HTTP/1.1\r\nHost: localhost\r\nContent-Length: 512\r\n\r\n${'q'.repeat(512)}`)); await new Promise((r) => setTimeout(r, 300));
  const best = { bare: Infinity, gw: Infinity };
  for (let i = 0; i < 12; i++) { best.bare = Math.min(best.bare, await run(bare, 8000)); best.gw = Math.min(best.gw, await run(server, 8000)); }
  console.log('bare', best.bare.toFixed(1), 'gw', best.gw.toFixed(1), 'ratio', (best.bare / best.gw).toFixed(2), 'added', (best.gw - best.bare).toFixed(1));
  await g.drain(); model.close(); process.exit();
}
void main();
