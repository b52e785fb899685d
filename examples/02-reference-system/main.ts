/**
 * The reference system, word for word: HPA `medical-ai-hpa` and VPA `medical-ai-vpa` on Deployment
 * `medical-ai-service`, three kinds of nodes, three priorities.
 */
import { App, Chart, Duration, Size } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  NodePool,
  PriorityClasses,
  PrometheusAdapterRules,
  SpotBatchPool,
} from 'mediform';

const app = new App();
const cluster = { name: 'medical-ai' };

const platform = new Chart(app, 'platform');
new PriorityClasses(platform, 'priorities');
new PrometheusAdapterRules(platform, 'adapter-rules');
new GpuNodePool(platform, 'gpu-nodes', { cluster, accelerators: [Accelerator.A100_80GB], maxGpus: 32 });
new GpuNodePool(platform, 'gpu-nodes-v100', { cluster, accelerators: [Accelerator.V100], maxGpus: 16 });
new NodePool(platform, 'compute-nodes', { cluster, type: 'compute-optimized', maxCpu: 256 });
new NodePool(platform, 'memory-nodes', { cluster, type: 'memory-optimized', maxCpu: 128 });
new SpotBatchPool(platform, 'batch-nodes', { cluster, accelerators: [Accelerator.V100, Accelerator.T4], maxGpus: 16 });

const services = new Chart(app, 'services', { namespace: 'medical-ai' });
new MedicalInferenceService(services, 'medical-ai-service', {
  image: 'registry.hospital.example/medical-ai-service:2.0.0',
  model: { name: 'unet', version: '2.0.0' },
  gpu: { count: 1 },
  cpu: 4,
  memory: Size.gibibytes(16),
  scaling: {
    name: 'medical-ai-hpa',
    minReplicas: 2,
    maxReplicas: 20,
    targets: { gpuUtilization: 80, queueLength: 10 },
    scaleIn: {
      stabilizationWindow: Duration.seconds(300),
      policies: [{ percent: 50, period: Duration.seconds(60) }],
    },
    scaleOut: {
      stabilizationWindow: Duration.seconds(0),
      policies: [
        { percent: 100, period: Duration.seconds(15) },
        { pods: 2, period: Duration.seconds(15) },
      ],
    },
  },
  verticalScaling: {
    name: 'medical-ai-vpa',
    min: { cpu: 2, memory: Size.gibibytes(8), gpus: 1 },
    max: { cpu: 16, memory: Size.gibibytes(64), gpus: 4 },
  },
});

app.synth();
