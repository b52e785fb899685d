/** What is refused, and what the user is told. */
import { Problems } from '../../../constructs/plan/errors';
import { planScaling, type ScalingContext } from '../../../constructs/plan/scaling/plan';
import type { ScalingProps } from '../../../constructs/plan/scaling/props';

const seconds = (value: number): { toSeconds(): number } => ({ toSeconds: () => value });

const GPU: ScalingContext = { serviceName: 'ct', gpu: {}, modelLoadSeconds: 300 };
const CPU: ScalingContext = { serviceName: 'search', modelLoadSeconds: 300 };

function problemsOf(props: ScalingProps, context = GPU): readonly string[] {
  const problems = new Problems();
  planScaling(problems, props, context);
  return problems.list;
}

const PEAK = { start: '08:00', end: '12:00', timeZone: 'Europe/Berlin', replicas: 8 };

it.each<[string, ScalingProps, string, ScalingContext?]>([
  [
    'a fraction of a replica',
    { minReplicas: 1.5 },
    "'scaling.minReplicas' (1.5) must be a whole number of at least 1 because a service without replicas sends no metrics and could never come back",
  ],
  [
    'no replicas',
    { minReplicas: 0 },
    "'scaling.minReplicas' (0) must be a whole number of at least 1 because a service without replicas sends no metrics and could never come back",
  ],
  [
    'a maximum under the minimum',
    { minReplicas: 3, maxReplicas: 2 },
    "'scaling.maxReplicas' (2) must be a whole number of at least 'minReplicas' (3) because the autoscaler needs room between the two",
  ],
  [
    'an unknown engine',
    { engine: 'knative' as 'hpa' },
    "'scaling.engine' (knative) must be 'hpa' or 'keda' because these are the engines that feed the autoscaler",
  ],
  [
    'rules and targets at once',
    { rules: {}, targets: { gpuUtilization: 80 } },
    "'scaling.targets' ({\"gpuUtilization\":80}) must not be given beside 'scaling.rules' because both steer the same autoscaler, which follows the larger vote",
  ],
  [
    'a window shorter than the model loads',
    { scaleIn: { stabilizationWindow: seconds(299) } },
    "'scaling.scaleIn.stabilizationWindow' (299 s) must be at least 'modelLoadTime' (300 s) because the HPA counts ready pods only and would remove replicas while new ones load their model",
  ],
  [
    'a window shorter than the averages look back',
    { scaleIn: { stabilizationWindow: seconds(300) }, window: seconds(301) },
    "'scaling.scaleIn.stabilizationWindow' (300 s) must be at least 'scaling.window' (301 s) because for that long the averages still show the load before replicas were removed, and more would be",
  ],
  [
    'a window over an hour to scale in',
    { scaleIn: { stabilizationWindow: seconds(3601) } },
    "'scaling.scaleIn.stabilizationWindow' (3601 s) must be at most 3600 s because the API server refuses a longer one",
  ],
  [
    'a window over an hour to scale out',
    { scaleOut: { stabilizationWindow: seconds(3601) } },
    "'scaling.scaleOut.stabilizationWindow' (3601 s) must be at most 3600 s because the API server refuses a longer one",
  ],
  [
    'a policy that allows nothing',
    { scaleOut: { policies: [{ pods: 0, period: seconds(15) }] } },
    "'scaling.scaleOut.policies[0]' (0) must allow a whole number over 0 because the API server refuses anything else",
  ],
  [
    'a policy over too long a period',
    {
      scaleIn: {
        policies: [
          { pods: 1, period: seconds(15) },
          { percent: 10, period: seconds(1801) },
        ],
      },
    },
    "'scaling.scaleIn.policies[1].period' (1801 s) must be over 0 and at most 1800 s because the API server refuses anything else",
  ],
  [
    'no policy',
    { scaleIn: { policies: [] } },
    "'scaling.scaleIn.policies' ([]) must hold at least one policy because without one the direction is switched off",
  ],
  [
    'a peak under the minimum',
    { peakHours: [{ ...PEAK, replicas: 2 }] },
    "'scaling.peakHours[0].replicas' (2) must be a whole number over 'minReplicas' (2) and at most 'maxReplicas' (20) because outside these bounds the peak changes nothing or cannot be reached",
  ],
  [
    'a peak over the maximum',
    { peakHours: [PEAK, { ...PEAK, replicas: 21 }] },
    "'scaling.peakHours[1].replicas' (21) must be a whole number over 'minReplicas' (2) and at most 'maxReplicas' (20) because outside these bounds the peak changes nothing or cannot be reached",
  ],
  [
    'a peak that is asked for more than a day before',
    { peakHours: [{ ...PEAK, leadTime: seconds(86_401) }] },
    "'scaling.peakHours[0].leadTime' (86401 s) must be at most one day because a longer lead would join one peak to the next",
  ],
  [
    'a peak at no time of the day',
    { peakHours: [{ ...PEAK, start: '8:00' }] },
    "'scaling.peakHours[0].start' (8:00) must be a time HH:MM from 00:00 to 23:59 because it is read on the clock of the time zone",
  ],
  [
    'a forecast of the next seconds',
    { forecast: { leadTime: seconds(59) } },
    "'scaling.forecast.leadTime' (59 s) must be at least a minute and at most one day because the same hour of last week says little about another day",
  ],
  [
    'a forecast without a utilisation rule',
    { forecast: {}, rules: { gpuUtilization: 'off' } },
    "'scaling.forecast' ({}) must come with a utilisation rule because demand is forecast from the utilisation of last week",
  ],
  [
    'a forecast of a shared GPU',
    { forecast: {} },
    "'scaling.forecast' ({}) must not be given with mps because the utilisation of a shared GPU is that of all its pods, not of this service",
    { ...GPU, gpu: { sharing: { mode: 'mps', replicas: 4 } } },
  ],
  [
    'a window without two samples',
    { window: seconds(9) },
    "'scaling.window' (9 s) must be at least 10 s and at most an hour because a shorter one holds no two samples, a longer one sees a crowd too late",
  ],
  [
    'a step for every error',
    { rules: { errorRate: { scaleOutAbove: 1, stepEvery: seconds(0) } } },
    "'scaling.rules.errorRate.stepEvery' (0 s) must be at least a minute and at most one day because a step needs time to show its effect before the next",
  ],
  [
    'a GPU rule without a GPU',
    { rules: { gpuUtilization: { scaleOutAbove: 80, scaleInBelow: 30 } } },
    '\'scaling.rules.gpuUtilization\' ({"scaleOutAbove":80,"scaleInBelow":30}) must not be given without \'gpu\' because the service has no GPU to measure',
    CPU,
  ],
  [
    'no rule that can scale in',
    { rules: { gpuUtilization: 'off', queueLength: 'off' } },
    '\'scaling.rules\' ({"gpuUtilization":"off","queueLength":"off"}) must keep gpuUtilization, cpuUtilization or queueLength on because no other rule can tell when to scale in',
  ],
  [
    'no response time',
    { rules: { responseTimeP95: { scaleOutAbove: seconds(0) } } },
    "'scaling.rules.responseTimeP95.scaleOutAbove' (0) must be a finite number over 0 because a response takes time",
  ],
  [
    'errors in all requests',
    { rules: { errorRate: { scaleOutAbove: 100 } } },
    "'scaling.rules.errorRate.scaleOutAbove' (100) must be over 0 and under 100 because it is a percentage of requests",
  ],
  [
    'a queue of infinite length',
    { rules: { queueLength: { scaleOutAbove: Infinity, scaleInBelow: 5 } } },
    "'scaling.rules.queueLength.scaleOutAbove' (Infinity) must be a finite number over 0 because the signal is never negative",
  ],
  [
    'a utilisation that is never reached',
    { rules: { gpuUtilization: { scaleOutAbove: 100, scaleInBelow: 30 } } },
    "'scaling.rules.gpuUtilization.scaleOutAbove' (100) must be under 100 because utilisation never goes over 100 %, so the service would never scale out",
  ],
  [
    'a narrow band of utilisation',
    { rules: { gpuUtilization: { scaleOutAbove: 70, scaleInBelow: 28.1 } } },
    "'scaling.rules.gpuUtilization.scaleInBelow' (28.1) must be at least 0 and at most 28 (0.4 × scaleOutAbove) because with a narrower band two replicas would never shrink to one, and scaling out would lead straight back in",
  ],
  [
    'a narrow band of queue length',
    { rules: { queueLength: { scaleOutAbove: 50, scaleInBelow: 13 } } },
    "'scaling.rules.queueLength.scaleInBelow' (13) must be at least 0 and at most 12.5 (0.25 × scaleOutAbove) because with a narrower band two replicas would never shrink to one, and scaling out would lead straight back in",
  ],
  [
    'a CPU that works backwards',
    { rules: { cpuUtilization: { scaleOutAbove: 80, scaleInBelow: -1 } } },
    "'scaling.rules.cpuUtilization.scaleInBelow' (-1) must be at least 0 and at most 32 (0.4 × scaleOutAbove) because with a narrower band two replicas would never shrink to one, and scaling out would lead straight back in",
  ],
  [
    'a GPU target without a GPU',
    { targets: { gpuUtilization: 80 } },
    "'scaling.targets.gpuUtilization' (80) must not be given without 'gpu' because the service has no GPU to measure",
    CPU,
  ],
  [
    'a GPU target within the tolerance of 100 %',
    { targets: { gpuUtilization: 91 } },
    "'scaling.targets.gpuUtilization' (91) must be over 0 and at most 90 because the HPA acts only over 1.1 × the target, and utilisation never goes over 100 %",
  ],
  [
    'a queue target of nothing',
    { targets: { queueLength: 0 } },
    "'scaling.targets.queueLength' (0) must be a finite number over 0 because it is divided by",
  ],
  [
    'a GPU as a resource, which the reference asks for',
    { targets: { resources: { 'nvidia.com/gpu': 80 } } },
    "'scaling.targets.resources.nvidia.com/gpu' (80) must be for cpu or memory because the metrics server measures nothing else, so an HPA on it never scales; set scaling.targets.gpuUtilization instead",
  ],
  [
    'another resource that nobody measures',
    { targets: { resources: { 'ephemeral-storage': 80 } } },
    "'scaling.targets.resources.ephemeral-storage' (80) must be for cpu or memory because the metrics server measures nothing else, so an HPA on it never scales",
  ],
  [
    'a resource target of nothing',
    { targets: { resources: { cpu: 0 } } },
    "'scaling.targets.resources.cpu' (0) must be a finite number over 0 because it is divided by",
  ],
  [
    'no target',
    { targets: {} },
    "'scaling.targets' ({}) must name at least one target because an HPA without metrics scales on CPU, which the VPA changes",
  ],
])('refuses %s', (_, props, message, context = GPU) => {
  expect(problemsOf(props, context)).toEqual([message]);
});
