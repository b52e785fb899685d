import { App, Chart, Duration } from 'cdk8s';
import { Accelerator, MedicalInferenceService, PriorityClasses, PrometheusAdapterRules } from 'mediform';

const app = new App();
const chart = new Chart(app, 'imaging', { namespace: 'imaging' });

new PriorityClasses(chart, 'priorities');
new PrometheusAdapterRules(chart, 'adapter-rules');

new MedicalInferenceService(chart, 'ct-triage', {
  image: 'registry.hospital.example/ct-triage:1.4.2',
  model: { name: 'resnet50', version: '1.4.2' },
  priority: 'emergency',
  gpu: { accelerator: Accelerator.A10G },
  modelLoadTime: Duration.minutes(3),
  slowestRequest: Duration.seconds(30),
});

app.synth();
