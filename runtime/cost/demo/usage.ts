import { Decimal } from '../../../constructs/plan/cost/money';
import { dayBounds } from '../../../constructs/plan/cost/days';
import type { DayUsage, HeldByPods, ModelUsage, NodeUsage, PeopleUsage } from '../../../constructs/plan/cost/usage';
import { demandOn } from './demand';
import { CONTEXT, REGION, SERVICES, type DemoService } from './hospital';
import { randomFor } from './random';

/** GPUs and cores of a pod in part of a node's: the rest is idle. */
const CORES_HELD = 0.8;

/**
 * What the demo's hospital used on a day. Depends on the seed and the day alone, not on the days before.
 *
 * @param day `YYYY-MM-DD`
 * @param index days since the beginning
 */
export function hospitalUsage(day: string, index: number, seed: number): DayUsage {
  const { hours } = dayBounds(day, CONTEXT.timeZone);
  const demands = SERVICES.map((service) => ({ service, calls: callsOn(service, day, index, seed) }));
  const images = demands
    .filter(({ service }) => service.service === 'image_diagnosis')
    .reduce((sum, { calls }) => sum + calls, 0);
  return {
    nodes: [
      ...demands.flatMap(({ service, calls }) => nodesOf(service, calls, hours, day, seed)),
      systemNode('system-0', hours),
      systemNode('system-1', hours),
    ],
    volumes: SERVICES.filter(({ nodes }) => nodes !== undefined).map(({ service, model, namespace, priority }) => ({
      name: `models-${namespace}-${model}`,
      volumeType: 'gp3',
      region: REGION,
      gigabytes: decimal(200),
      hours: decimal(hours),
      service,
      model,
      namespace,
      priority,
    })),
    traffic: demands.map(({ service: { service, namespace, model, priority }, calls }) => ({
      service,
      model,
      namespace,
      priority,
      // images travel between zones, texts to the outside
      traffic: service === 'image_diagnosis' ? 'zone' : 'internet',
      region: REGION,
      gigabytes: decimal(calls * (service === 'image_diagnosis' ? 0.02 : 0.00002)),
    })),
    models: demands.map(({ service, calls }) => modelUsage(service, calls)),
    dataStores: [
      // images are kept: half a megabyte of every call stays
      store('image-archive', 's3-standard', 42_000 + index * images * 0.0005, hours, 'image_diagnosis'),
      store('results', 'rds-gp3', 400 + index * 0.6, hours, undefined),
    ],
    people: peopleOn(day, index),
    shared: ['eks-control-plane', 'load-balancer'].map((name) => ({ name, region: REGION, hours: decimal(hours) })),
  };
}

function callsOn(
  { service, model, namespace, calls, demand }: DemoService,
  day: string,
  index: number,
  seed: number,
): number {
  return Math.round(calls * demandOn(day, index, demand, seed, `${service} ${model} ${namespace}`));
}

function modelUsage({ hitRatio, secondsPerCall, tokens, ...owner }: DemoService, calls: number): ModelUsage {
  const cacheHits = Math.round(calls * hitRatio);
  const forwarded = calls - cacheHits;
  return {
    service: owner.service,
    model: owner.model,
    namespace: owner.namespace,
    priority: owner.priority,
    calls,
    inputTokens: Math.round(forwarded * (tokens?.input ?? 0)),
    outputTokens: Math.round(forwarded * (tokens?.output ?? 0)),
    inferenceSeconds: decimal(forwarded * secondsPerCall),
    cacheHits,
    cacheMisses: forwarded,
  };
}

function nodesOf(demo: DemoService, calls: number, dayHours: number, day: string, seed: number): NodeUsage[] {
  const { nodes, service, model, namespace, priority, hitRatio, secondsPerCall } = demo;
  if (nodes === undefined) {
    return [];
  }
  const work = calls * (1 - hitRatio) * secondsPerCall;
  const count = Math.min(nodes.max, Math.max(nodes.min, Math.ceil(work / nodes.secondsPerNode)));
  const hours = Math.min(nodes.hours, dayHours);
  const random = randomFor(seed, `${namespace} ${model} ${day} utilisation`);
  return Array.from({ length: count }, (_, node): NodeUsage => {
    const utilisation = Math.min(
      1,
      (work / count / (hours * 3600 * Math.max(1, nodes.gpus))) * (0.95 + random() * 0.1),
    );
    const pod: HeldByPods = {
      service,
      model,
      namespace,
      priority,
      hours: decimal(hours),
      gpuHours: decimal(hours * nodes.gpus),
      cpuHours: decimal(hours * nodes.cores * CORES_HELD),
      memoryHours: decimal(hours * nodes.memoryGiB * CORES_HELD),
      gpuUtilisation: nodes.gpus > 0 ? decimal(utilisation) : undefined,
      cpuUtilisation: decimal(nodes.gpus > 0 ? utilisation / 2 : utilisation),
    };
    return {
      name: `${namespace}-${model}-${node}`,
      instanceType: nodes.instanceType,
      capacityType: nodes.capacityType,
      region: REGION,
      zone: `${REGION}${'abc'.charAt(node % 3)}`,
      hours: decimal(hours),
      gpus: nodes.gpus,
      cores: decimal(nodes.cores),
      memoryGiB: decimal(nodes.memoryGiB),
      pods: [pod],
    };
  });
}

function systemNode(name: string, hours: number): NodeUsage {
  const pod = (namespace: string, cores: number, memoryGiB: number): HeldByPods => ({
    namespace,
    hours: decimal(hours),
    gpuHours: decimal(0),
    cpuHours: decimal(hours * cores),
    memoryHours: decimal(hours * memoryGiB),
  });
  return {
    name,
    instanceType: 'm7i.large',
    capacityType: 'on-demand',
    region: REGION,
    hours: decimal(hours),
    gpus: 0,
    cores: decimal(2),
    memoryGiB: decimal(8),
    pods: [pod('kube-system', 0.6, 1.5), pod('monitoring', 0.7, 3)],
  };
}

function store(name: string, storageClass: string, gigabytes: number, hours: number, service: string | undefined) {
  return { name, storageClass, region: REGION, gigabytes: decimal(gigabytes), hours: decimal(hours), service };
}

/** Operations every day, development and review on workdays; a project in the second half of the year needs more. */
function peopleOn(day: string, index: number): PeopleUsage[] {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  const workday = weekday !== 0 && weekday !== 6;
  return [
    { activity: 'operations', hours: decimal(workday ? 6 : 1.5) },
    ...(workday
      ? ([
          { activity: 'development', hours: decimal(index < 180 ? 10 : 14), service: 'record_analysis' },
          { activity: 'review', hours: decimal(3.5), service: 'image_diagnosis' },
        ] as const)
      : []),
  ];
}

function decimal(value: number): Decimal {
  return new Decimal(value).toDecimalPlaces(6);
}
