import { App, Chart, Duration, JsonPatch, Size } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  PriorityClasses,
  PrometheusAdapterRules,
  type ScalingProps,
} from 'mediform';
import { synthObjects } from 'mediform/testing';
import { type KubeObject } from '../kube-object';
import { type Load } from './exporter';
import { type History } from './prometheus';

/** A service of a scenario. */
export interface ServiceSpec {
  /** @default 'imaging' */
  readonly namespace?: string;
  readonly name: string;
  /** Replicas that it has at first. */
  readonly replicas: number;
  /**
   * What it sends at first.
   *
   * @default BUSY
   */
  readonly load?: Load;
  /**
   * Beyond the speed of the tests; also as a function of the moment at which the stage's peaks begin and end.
   *
   * @default - rules with their defaults
   */
  readonly scaling?: ScalingProps | ((turn: Date) => ScalingProps);
  /**
   * Series of last week.
   *
   * @default - none
   */
  readonly history?: (turn: Date) => readonly History[];
}

/** What scaling in of the default policies takes minutes for, within seconds: 50 % in 5 s. */
export const FAST: ScalingProps = {
  scaleIn: {
    stabilizationWindow: Duration.seconds(10),
    policies: [{ percent: 50, period: Duration.seconds(5) }],
  },
};

export const DEFAULT_NAMESPACE = 'imaging';

/** All objects of some services, of their priorities and their nodes, and the configuration of prometheus-adapter. */
export function manifests(specs: readonly ServiceSpec[], turn: Date): readonly KubeObject[] {
  const app = new App();
  const platform = new Chart(app, 'platform');
  new PriorityClasses(platform, 'priorities');
  new PrometheusAdapterRules(platform, 'adapter-rules');
  new GpuNodePool(platform, 'gpu', {
    cluster: { name: 'e2e' },
    accelerators: [Accelerator.A10G],
    maxGpus: 1000,
  });
  const charts = new Map<string, Chart>();
  for (const { namespace = DEFAULT_NAMESPACE, name, replicas, scaling = {} } of specs) {
    const chart = charts.get(namespace) ?? new Chart(app, namespace, { namespace });
    charts.set(namespace, chart);
    const service = new MedicalInferenceService(chart, name, {
      image: `registry.hospital.example/${name}:1.0.0`,
      model: { name: 'resnet50', version: '1.0.0' },
      gpu: {},
      cpu: 1,
      memory: Size.gibibytes(2),
      cacheVolume: Size.gibibytes(1),
      modelLoadTime: Duration.seconds(10),
      monitoring: { interval: Duration.seconds(1) },
      verticalScaling: 'off',
      scaling: {
        window: Duration.seconds(10),
        ...FAST,
        ...(typeof scaling === 'function' ? scaling(turn) : scaling),
      },
    });
    service.deployment.addJsonPatch(JsonPatch.add('/spec/replicas', replicas));
  }
  return synthObjects(app);
}
