/** What the gateway is measured against and with, in a process of its own: `server.js bare` or `server.js model`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

/** Body of every answer. */
const ANSWER = Buffer.from(JSON.stringify({ finding: 'no acute finding', probability: 0.98, note: 'x'.repeat(200) }));

function answer(response: ServerResponse): void {
  response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(ANSWER.length)]);
  response.end(ANSWER);
}

/** Reads the body, which it does nothing with, and answers. */
function bare(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () => answer(response));
}

/** The same, after the time that the header `x-service-ms` asks for. */
function model(request: IncomingMessage, response: ServerResponse): void {
  const ms = Number(request.headers['x-service-ms'] ?? 0);
  request.resume();
  request.on('end', () => (ms === 0 ? answer(response) : setTimeout(() => answer(response), ms)));
}

const server = createServer(process.argv[2] === 'model' ? model : bare);
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
