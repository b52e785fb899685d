export { ChartResources, KubernetesResource, type ChartResourcesArgs } from './chart-resources';
export { asString } from './outputs';
