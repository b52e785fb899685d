/**
 * Configurations that the API server would accept and that could never do what they say. Each is refused at synth, with
 * the property, its value and the rule.
 */
import { Duration, Size } from 'cdk8s';
import type { MedicalInferenceServiceProps, Priority } from '../constructs';
import { CPU_SERVICE, testService } from './support/app';

const minutes = (amount: number): Duration => Duration.minutes(amount);
const night = { start: '22:00', end: '06:00', timeZone: 'Europe/Berlin' };

const DEAD: [string, Partial<MedicalInferenceServiceProps>, string][] = [
  [
    'GPU as a Resource metric',
    { scaling: { targets: { resources: { 'nvidia.com/gpu': 80 } } } },
    "'scaling.targets.resources.nvidia.com/gpu' (80) must be for cpu or memory because the metrics server measures nothing else, so an HPA on it never scales; set scaling.targets.gpuUtilization instead",
  ],
  [
    'HPA and VPA on the same resource',
    { scaling: { targets: { resources: { memory: 70 } } }, verticalScaling: { resources: ['cpu', 'memory'] } },
    "'verticalScaling.resources' (memory) must not be a resource that the HPA scales on because the two would push each other: fewer replicas use more, and get more",
  ],
  [
    'VPA on CPU beside the CPU rule',
    { ...CPU_SERVICE, gpu: undefined, verticalScaling: { resources: ['cpu'] } },
    "'verticalScaling.resources' (cpu) must not be a resource that the HPA scales on",
  ],
  [
    'VPA on a GPU',
    { verticalScaling: { resources: ['nvidia.com/gpu' as 'cpu'] } },
    "'verticalScaling.resources' (nvidia.com/gpu) must be cpu or memory because the VPA refuses all others",
  ],
  [
    'a deprecated VPA mode',
    { verticalScaling: { mode: 'Auto' as 'Off' } },
    "'verticalScaling.mode' (Auto) must be one of InPlaceOrRecreate, Recreate, Initial, Off because these are the modes of the VPA that are not deprecated",
  ],
  [
    'an unknown priority',
    { priority: 'urgent' as Priority },
    "'priority' (urgent) must be one of emergency, normal, batch because a priority is never guessed",
  ],
  [
    'Spot for an emergency service',
    { priority: 'emergency', nodeSelector: { 'karpenter.sh/capacity-type': 'spot' } },
    "'nodeSelector.karpenter.sh/capacity-type' (spot) must not be spot because Spot nodes vanish within two minutes: only batch work may run there",
  ],
  [
    'a node selector against the selection rule',
    { nodeSelector: { 'node-type': 'compute-optimized' } },
    "'nodeSelector.node-type' (compute-optimized) must not be given because it follows from gpu, memoryIntensive and priority",
  ],
  [
    'a PodDisruptionBudget that blocks every eviction',
    { disruption: { maxUnavailable: 0 } },
    "'disruption.maxUnavailable' (0) must be a whole number of at least 1 because with 0 no node could ever be drained",
  ],
  [
    'a PodDisruptionBudget that cannot be met at minimum replicas',
    { disruption: { minAvailable: 2 } },
    "'disruption.minAvailable' (2) must be a whole number of at least 1 and under 'scaling.minReplicas' (2) because at minimum replicas no pod could ever be evicted, and no node drained",
  ],
  [
    'a stabilisation window over an hour',
    { scaling: { scaleIn: { stabilizationWindow: minutes(61) } } },
    "'scaling.scaleIn.stabilizationWindow' (3660 s) must be at most 3600 s because the API server refuses a longer one",
  ],
  [
    'a stabilisation window shorter than the model load',
    { modelLoadTime: minutes(10), scaling: { scaleIn: { stabilizationWindow: minutes(5) } } },
    "'scaling.scaleIn.stabilizationWindow' (300 s) must be at least 'modelLoadTime' (600 s) because the HPA counts ready pods only and would remove replicas while new ones load their model",
  ],
  [
    'an HPA policy over half an hour',
    { scaling: { scaleOut: { policies: [{ pods: 1, period: minutes(31) }] } } },
    "'scaling.scaleOut.policies[0].period' (1860 s) must be over 0 and at most 1800 s because the API server refuses anything else",
  ],
  [
    'a band too narrow to shrink in',
    { scaling: { rules: { gpuUtilization: { scaleOutAbove: 80, scaleInBelow: 40 } } } },
    "'scaling.rules.gpuUtilization.scaleInBelow' (40) must be at least 0 and at most 32 (0.4 × scaleOutAbove) because with a narrower band two replicas would never shrink to one, and scaling out would lead straight back in",
  ],
  [
    'a utilisation that is never reached',
    { scaling: { rules: { gpuUtilization: { scaleOutAbove: 100, scaleInBelow: 30 } } } },
    "'scaling.rules.gpuUtilization.scaleOutAbove' (100) must be under 100 because utilisation never goes over 100 %, so the service would never scale out",
  ],
  [
    'rules that can never scale in',
    { scaling: { rules: { gpuUtilization: 'off', queueLength: 'off' } } },
    'must keep gpuUtilization, cpuUtilization or queueLength on because no other rule can tell when to scale in',
  ],
  [
    'a GPU rule without a GPU',
    { gpu: undefined, scaling: { rules: { gpuUtilization: { scaleOutAbove: 80, scaleInBelow: 30 } } } },
    "must not be given without 'gpu' because the service has no GPU to measure",
  ],
  [
    'rules beside targets',
    { scaling: { rules: {}, targets: { queueLength: 10 } } },
    "must not be given beside 'scaling.rules' because both steer the same autoscaler, which follows the larger vote",
  ],
  [
    'a maximum under the minimum',
    { scaling: { minReplicas: 4, maxReplicas: 3 } },
    "'scaling.maxReplicas' (3) must be a whole number of at least 'minReplicas' (4) because the autoscaler needs room between the two",
  ],
  [
    'a peak over the maximum',
    { scaling: { maxReplicas: 6, peakHours: [{ ...night, replicas: 8 }] } },
    "'scaling.peakHours[0].replicas' (8) must be a whole number over 'minReplicas' (2) and at most 'maxReplicas' (6) because outside these bounds the peak changes nothing or cannot be reached",
  ],
  [
    'a peak in a time zone that does not exist',
    { scaling: { peakHours: [{ ...night, timeZone: 'Berlin', replicas: 8 }] } },
    "'scaling.peakHours[0].timeZone' (Berlin) must",
  ],
  [
    'a forecast from a shared GPU',
    { gpu: { sharing: { mode: 'time-slicing', replicas: 4 } }, scaling: { forecast: {} } },
    'must not be given with time-slicing because the utilisation of a shared GPU is that of all its pods, not of this service',
  ],
  [
    'more GPUs than the bounds allow',
    { gpu: { count: 8 } },
    "'gpu.count' (8 GPUs) must lie within 'verticalScaling' (1 to 4 GPUs) because these bounds limit the GPUs of one replica",
  ],
  [
    'a request outside the VPA bounds',
    { cpu: 1, verticalScaling: { min: { cpu: 2 } } },
    "'cpu' (1 cores) must lie within 'verticalScaling' (2 to 16 cores) because the VPA would change it as soon as the pod is created",
  ],
  [
    'a grace period shorter than the slowest request',
    { slowestRequest: Duration.seconds(90), terminationGracePeriod: Duration.seconds(60) },
    "'terminationGracePeriod' (60 s) must be at least 105 s (10 s + 'slowestRequest' + 5 s) because a request in flight would be cut off",
  ],
  [
    'shared memory as large as the limit it counts against',
    { memory: Size.gibibytes(8), sharedMemory: Size.gibibytes(8) },
    "'sharedMemory' (8192 MiB) must be under 'memory' (8192 MiB) because /dev/shm counts against the memory limit",
  ],
  [
    'root',
    { user: 0 },
    `'user' (0) must be a whole number over 0 because the Pod Security standard "restricted" forbids root`,
  ],
  [
    'a privileged port',
    { port: 80 },
    "'port' (80) must be a whole number from 1024 to 65535 because a process without privileges cannot listen on lower ones",
  ],
  [
    'a name that Kubernetes would cut short in pod names',
    { name: 'x'.repeat(47) },
    'must be a DNS label of at most 46 characters that starts with a letter because a Service and its pods are named after it',
  ],
  [
    'a pod label of the library',
    { podLabels: { 'app.kubernetes.io/name': 'other' } },
    "'podLabels.app.kubernetes.io/name' (other) must not be given because it follows from the name, model and priority",
  ],
  [
    'one variable with two values',
    { env: { KEY: 'x' }, secretEnv: { KEY: { secret: 's', key: 'k' } } },
    '\'secretEnv.KEY\' ({"secret":"s","key":"k"}) must not be in \'env\' too because a variable has one value',
  ],
  [
    'an address that is none',
    { network: { egress: [{ cidr: '10.0.0.0/33' }] } },
    "'network.cidr' (10.0.0.0/33) must be an address and a prefix length, such as 10.0.0.0/16 because a NetworkPolicy takes no other form",
  ],
  [
    'a window of too few samples',
    { monitoring: { interval: minutes(1) } },
    "'monitoring.interval' (60 s) must be over 0 and at most a quarter of 'scaling.window' (120 s) because a rate over fewer samples comes and goes",
  ],
  ['no image', { image: '' }, "'image' () must name an image because there is nothing to run"],
  [
    'no room for the model',
    { cacheVolume: Size.mebibytes(0) },
    "'cacheVolume' (0 MiB) must be at least 1 MiB because the model is kept there",
  ],
  [
    'a container name that is none',
    { containerName: 'My Model' },
    "'containerName' (My Model) must be a DNS label because it names a container",
  ],
  [
    'a model version that is no label',
    { model: { name: 'resnet50', version: 'v1 (final)' } },
    "'model.version' (v1 (final)) must be a label value because every object is labelled with it",
  ],
];

it.each(DEAD)('refuses %s', (_, props, message) => {
  let error: unknown;
  try {
    testService(props);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toContain(message);
  expect((error as Error).message.split('\n').every((line) => line.startsWith('[test/ct] '))).toBe(true);
});
