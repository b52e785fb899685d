import { Chart, Duration, JsonPatch, Size, type App } from 'cdk8s';
import { Accelerator, MedicalInferenceService, Priority, type TieredCache } from 'mediform';
import { TIME_ZONE, WEEKDAYS } from './platform';

const REGISTRY = 'registry.hospital.example';
const MONITORING = { labels: { release: 'prometheus' } };

/** The three services of the hospital, and the batch side of the first. */
export function services(app: App, results: TieredCache): void {
  const imaging = new Chart(app, 'imaging', { namespace: 'imaging' });
  imageDiagnosis(imaging, results);
  nightlyReads(imaging);
  recordAnalysis(new Chart(app, 'records', { namespace: 'records' }));
  knowledgeRetrieval(new Chart(app, 'knowledge', { namespace: 'knowledge' }), results);
}

/** CT, X-ray and MRI images; emergencies first. */
function imageDiagnosis(chart: Chart, results: TieredCache): void {
  const service = new MedicalInferenceService(chart, 'image_diagnosis', {
    image: `${REGISTRY}/image-diagnosis:3.1.0`,
    model: {
      name: 'resnet50',
      version: '3.1.0',
      preprocessingVersion: '12',
      source: 's3://hospital-models/resnet50/3.1.0',
    },
    priority: Priority.EMERGENCY,
    cache: results,
    gateway: {
      routes: [
        {
          path: '/v1/diagnose',
          methods: ['POST'],
          maxBodyBytes: 512 * 1024 * 1024,
          // the router has checked who asks, and names the study, by which a diagnosis can be invalidated
          cache: { kind: 'diagnosis', credentials: 'ignore', idHeaders: ['x-study-uid'] },
        },
        { path: '/v1/archive/**', priority: Priority.BATCH },
      ],
      unmatched: 'refuse',
      // the router alone may say that a request is an emergency, or is none
      trustedCallers: [{ secret: { secret: 'dicom-router', key: 'caller-secret' } }],
      admission: { concurrency: 16, queueLength: 100 },
      memory: Size.gibibytes(1),
    },
    gpu: { count: 1, accelerator: Accelerator.A10G },
    cpu: 3,
    memory: Size.gibibytes(12),
    modelLoadTime: Duration.minutes(4),
    slowestRequest: Duration.seconds(45),
    sharedMemory: Size.gibibytes(2),
    cacheVolume: Size.gibibytes(30),
    env: { CUDA_MODULE_LOADING: 'LAZY' },
    secretEnv: { LICENCE_KEY: { secret: 'image-diagnosis', key: 'licence' } },
    scaling: {
      minReplicas: 3,
      maxReplicas: 24,
      rules: {
        gpuUtilization: { scaleOutAbove: 75, scaleInBelow: 25 },
        queueLength: { scaleOutAbove: 20, scaleInBelow: 2 },
        responseTimeP95: { scaleOutAbove: Duration.seconds(3) },
      },
      peakHours: [
        { days: WEEKDAYS, start: '07:30', end: '12:00', timeZone: TIME_ZONE, replicas: 8 },
        { days: ['Fri', 'Sat'], start: '20:00', end: '02:00', timeZone: TIME_ZONE, replicas: 6 },
      ],
      forecast: { leadTime: Duration.minutes(20) },
    },
    disruption: { minAvailable: 2 },
    network: { callers: [{ namespace: 'pacs', podLabels: { app: 'dicom-router' } }] },
    monitoring: MONITORING,
    podLabels: { 'hospital.example/department': 'radiology' },
  });
  // whatever has no property of its own can still be said
  service.deployment.addJsonPatch(JsonPatch.add('/spec/minReadySeconds', 20));
}

/** The same model over old studies, at night, on Spot nodes. */
function nightlyReads(chart: Chart): void {
  new MedicalInferenceService(chart, 'nightly-reads', {
    image: `${REGISTRY}/image-diagnosis:3.1.0`,
    model: { name: 'resnet50', version: '3.1.0' },
    priority: Priority.BATCH,
    gpu: { accelerator: Accelerator.T4 },
    scaling: {
      minReplicas: 1,
      maxReplicas: 8,
      rules: { responseTimeP95: 'off', queueLength: { scaleOutAbove: 500, scaleInBelow: 10 } },
      peakHours: [{ start: '22:00', end: '05:00', timeZone: TIME_ZONE, replicas: 6, leadTime: Duration.minutes(0) }],
    },
    verticalScaling: 'off',
    monitoring: MONITORING,
  });
}

/** Patient records, read by a language model on two GPUs for each replica. */
function recordAnalysis(chart: Chart): void {
  new MedicalInferenceService(chart, 'record_analysis', {
    image: `${REGISTRY}/record-analysis:0.9.3`,
    model: { name: 'clinical-llm-34b', version: '0.9.3' },
    args: ['--tensor-parallel-size=2', '--max-model-len=16384'],
    containerName: 'llm',
    port: 8000,
    probes: { liveness: '/health', readiness: '/health' },
    gpu: { count: 2, accelerator: Accelerator.L40S },
    cpu: 6,
    memory: Size.gibibytes(48),
    modelLoadTime: Duration.minutes(12),
    slowestRequest: Duration.minutes(5),
    sharedMemory: Size.gibibytes(16),
    cacheVolume: Size.gibibytes(120),
    scaling: {
      maxReplicas: 12,
      rules: {
        gpuUtilization: 'off',
        cpuUtilization: 'off',
        queueLength: { scaleOutAbove: 16, scaleInBelow: 2 },
        responseTimeP95: { scaleOutAbove: Duration.seconds(30) },
        errorRate: { scaleOutAbove: 2, stepEvery: Duration.minutes(20) },
      },
      scaleOut: { policies: [{ pods: 2, period: Duration.minutes(2) }] },
      scaleIn: { stabilizationWindow: Duration.minutes(20), policies: [{ pods: 1, period: Duration.minutes(5) }] },
    },
    verticalScaling: { mode: 'Initial', max: { memory: Size.gibibytes(96) } },
    monitoring: { ...MONITORING, names: { queueLength: 'vllm:num_requests_waiting' } },
    network: { egress: [{ namespace: 'records-db', podLabels: { app: 'postgresql' }, ports: [5432] }] },
  });
}

/** Guideline search: no GPU, much memory. */
function knowledgeRetrieval(chart: Chart, results: TieredCache): void {
  new MedicalInferenceService(chart, 'knowledge_retrieval', {
    image: `${REGISTRY}/knowledge-retrieval:5.0.1`,
    model: { name: 'guideline-index', version: '2026-11', preprocessingVersion: '3' },
    cache: results,
    gateway: {
      routes: [
        {
          path: '/v1/search',
          methods: ['POST'],
          cache: { kind: 'knowledge', textFields: ['/query'], credentials: 'ignore' },
        },
      ],
      runtimeImage: `${REGISTRY}/node:24.18.0`,
    },
    cpu: 4,
    memory: Size.gibibytes(32),
    modelLoadTime: Duration.minutes(2),
    slowestRequest: Duration.seconds(10),
    scaling: {
      maxReplicas: 10,
      rules: { cpuUtilization: { scaleOutAbove: 70, scaleInBelow: 20 } },
    },
    monitoring: { ...MONITORING, port: 9100, interval: Duration.seconds(10) },
    serviceAccountAnnotations: { 'hospital.example/owner': 'medical-informatics' },
  });
}
