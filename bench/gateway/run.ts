/** `npm run bench:gateway [-- --quick | --long]`: the gateway against plain Node, and under overload; fails beyond a bound. */
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import Table from 'cli-table3';
import { median } from '../measure';
import { percentile, stream, time, type Timed } from './callers';
import { flood, type Throughput } from './flood';
import { Workshop, type Measured } from './processes';

const quick = process.argv.includes('--quick');
const long = process.argv.includes('--long');
const rounds = quick ? { hits: 5, misses: 500, overload: 2 } : { hits: 15, misses: 2_000, overload: 6 };
/** Seconds of one round of hits: short, so that other work on the machine meets both sides alike. */
const HIT_SECONDS = 1.5;
/** Rounds that are not counted: compiled code is as fast as it gets after some ten thousand requests. */
const WARM_UP_ROUNDS = 4;
/** Seconds of one round of emergencies. */
const OVERLOAD_SECONDS = 5;
const MEMORY_SECONDS = long ? 600 : 20;

const MODEL = { name: 'resnet50', version: '1.4.2', preprocessingVersion: '3' };
const ROUTES = [{ path: '/diagnose', cache: { kind: 'diagnosis' as const } }];

interface Row {
  readonly what: string;
  readonly against: string;
  readonly figure: number;
  readonly unit: string;
  /** Absent where the figure is for information only. */
  readonly bound?: { readonly atLeast: number } | { readonly atMost: number };
}

/** Answers from the hot tier against a server that returns the same bytes, in turns. */
async function hits(gateway: Measured, bare: Measured, bytes: number): Promise<Row[]> {
  const body = randomBytes(bytes);
  const round = async (server: Measured): Promise<Throughput> => flood(server, '/diagnose', body, HIT_SECONDS);
  for (let index = 0; index < WARM_UP_ROUNDS; index++) {
    await round(bare);
    await round(gateway);
  }
  const ratios: { speed: number; processor: number }[] = [];
  for (let index = 0; index < rounds.hits; index++) {
    const theirs = await round(bare);
    const ours = await round(gateway);
    ratios.push({
      speed: ours.perSecond / theirs.perSecond,
      processor: ours.processorMicroseconds / theirs.processorMicroseconds,
    });
  }
  const size = bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`;
  const against = 'bare Node server, the same bytes';
  return [
    {
      what: `hits a second, question of ${size}`,
      against,
      figure: median(ratios.map(({ speed }) => speed)),
      unit: '×',
      bound: { atLeast: 0.6 },
    },
    {
      what: `processor time of a hit, ${size}`,
      against,
      figure: median(ratios.map(({ processor }) => processor)),
      unit: '×',
    },
  ];
}

/** Questions that were never asked, one after the other, through the gateway and directly, in turns. */
async function misses(gateway: Measured, model: Measured): Promise<Row> {
  const agent = new Agent({ keepAlive: true });
  const through: number[] = [];
  const direct: number[] = [];
  for (let index = 0; index < rounds.misses; index++) {
    const body = randomBytes(4096);
    direct.push((await time(`${model.url}/diagnose`, agent, body)).ms);
    through.push((await time(`${gateway.url}/diagnose`, agent, body)).ms);
  }
  agent.destroy();
  const figure = percentile(through.slice(100), 0.5) - percentile(direct.slice(100), 0.5);
  return { what: 'a miss, median', against: 'the model directly', figure, unit: 'ms more', bound: { atMost: 1 } };
}

/** Emergencies alone and among four times as much work as the model can do, in turns. */
async function overload(workshop: Workshop, model: Measured): Promise<Row[]> {
  const concurrency = 8;
  const serviceMs = 50;
  const gateway = await workshop.gateway({
    model: MODEL,
    upstream: { port: model.port },
    trustedCallers: [{ cidrs: ['127.0.0.0/8'] }],
    admission: { concurrency, queueLength: 100 },
    logRequests: 'failures',
  });
  const url = `${gateway.url}/`;
  const capacity = (concurrency * 1000) / serviceMs;
  const agent = new Agent({ keepAlive: true });
  const headers = { 'x-mediform-priority': 'emergency', 'x-service-ms': String(serviceMs) };
  const emergencies = (seconds: number): Promise<Timed[]> =>
    stream(20, seconds, () => time(url, agent, 'question', headers));
  await emergencies(2);
  const alone: Timed[] = [];
  const among: Timed[] = [];
  let shed = 0;
  for (let round = 0; round < rounds.overload; round++) {
    alone.push(...(await emergencies(OVERLOAD_SECONDS)));
    const crowd = workshop.crowd(url, 4 * capacity, OVERLOAD_SECONDS + 2, serviceMs);
    // until the queue is full
    await emergencies(1);
    among.push(...(await emergencies(OVERLOAD_SECONDS)));
    shed += await crowd;
  }
  agent.destroy();
  gateway.stop();
  const failed = [...alone, ...among].filter(({ status }) => status !== 200).length;
  const p99 = (answers: readonly Timed[]): number =>
    percentile(
      answers.map(({ ms }) => ms),
      0.99,
    );
  return [
    {
      what: 'an emergency at 4 × overload, 99th percentile',
      against: 'the same without load',
      figure: p99(among) / p99(alone),
      unit: '×',
      bound: { atMost: 1.5 },
    },
    { what: 'emergencies that failed', against: '-', figure: failed, unit: '', bound: { atMost: 0 } },
    {
      what: 'other requests that were shed',
      against: '-',
      figure: shed / (4 * capacity * (OVERLOAD_SECONDS + 2) * rounds.overload),
      unit: 'of all',
    },
  ];
}

/** Memory of the gateway under hits and misses: the last third of the time against the second. */
async function memory(gateway: Measured): Promise<Row> {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const samples: number[] = [];
  const end = performance.now() + MEMORY_SECONDS * 1000;
  const sampling = setInterval(() => samples.push(gateway.memoryMiB), 200);
  const caller = async (): Promise<void> => {
    for (let count = 0; performance.now() < end; count++) {
      const body = count % 2 === 0 ? 'the same' : randomBytes(8192);
      await time(`${gateway.url}/diagnose`, agent, body);
    }
  };
  await Promise.all(Array.from({ length: 20 }, caller));
  clearInterval(sampling);
  agent.destroy();
  const third = Math.floor(samples.length / 3);
  const figure = Math.max(...samples.slice(2 * third)) / Math.max(...samples.slice(third, 2 * third));
  const what = `memory after ${MEMORY_SECONDS} s of hits and misses`;
  return { what, against: 'a third of the time before', figure, unit: '×', bound: { atMost: 1.1 } };
}

function holds({ bound, figure }: Row): boolean {
  return bound === undefined || ('atLeast' in bound ? figure >= bound.atLeast : figure <= bound.atMost);
}

async function main(): Promise<void> {
  const workshop = new Workshop();
  try {
    await workshop.prepare();
    const bare = await workshop.server('bare');
    const model = await workshop.server('model');
    const gateway = await workshop.gateway({
      model: MODEL,
      upstream: { port: model.port },
      routes: ROUTES,
      // small, so that it is full soon
      cache: { namespace: 'bench', hot: { maxBytes: 4 * 1024 * 1024 } },
    });
    const rows = [
      ...(await hits(gateway, bare, 512)),
      ...(await hits(gateway, bare, 64 * 1024)),
      await misses(gateway, model),
      ...(await overload(workshop, model)),
      await memory(gateway),
    ];
    print(rows);
    process.exitCode = rows.every(holds) ? 0 : 1;
  } finally {
    workshop.clear();
  }
}

function print(rows: readonly Row[]): void {
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head: ['what', 'against', 'figure', 'bound', ''], style });
  for (const row of rows) {
    const { what, against, figure, unit, bound } = row;
    const limit = bound === undefined ? '-' : 'atLeast' in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`;
    const verdict = bound === undefined ? 'information' : holds(row) ? 'ok' : 'NOT MET';
    table.push([what, against, `${figure.toFixed(2)} ${unit}`.trim(), limit, verdict]);
  }
  console.log(table.toString());
}

void main();
