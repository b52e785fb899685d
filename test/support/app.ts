import { App, Chart } from 'cdk8s';
import { MedicalInferenceService, type MedicalInferenceServiceProps } from '../../constructs';

/** A chart in a namespace, in an app of its own. */
export function testChart(namespace = 'imaging'): Chart {
  return new Chart(new App(), 'test', { namespace });
}

/** The smallest service with a GPU. */
export const GPU_SERVICE: MedicalInferenceServiceProps = {
  image: 'registry.example/ct:1',
  model: { name: 'resnet50', version: '1.0.0' },
  gpu: {},
};

/** The smallest service without one. */
export const CPU_SERVICE: MedicalInferenceServiceProps = {
  image: 'registry.example/search:1',
  model: { name: 'index', version: '7' },
};

/** A service `ct` with some properties of its own. */
export function testService(
  props: Partial<MedicalInferenceServiceProps> = {},
  chart = testChart(),
): MedicalInferenceService {
  return new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, ...props });
}
