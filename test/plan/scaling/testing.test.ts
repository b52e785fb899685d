import { App, Chart } from 'cdk8s';
import { findObject, hpaDesiredReplicas, synthObjects, type HpaMetric, type KubeObject } from 'mediform/testing';
import { MedicalInferenceService } from '../../../constructs';
import { CPU_SERVICE } from '../../support/app';

describe('synthObjects', () => {
  it('gives the objects of all charts', () => {
    const app = new App();
    const props = { ...CPU_SERVICE, gateway: 'off' } as const;
    new MedicalInferenceService(new Chart(app, 'a', { namespace: 'imaging' }), 'ct', props);
    new MedicalInferenceService(new Chart(app, 'b', { namespace: 'records' }), 'notes', props);
    const names = synthObjects(app).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(new Set(names)).toEqual(new Set(['imaging/ct', 'records/notes']));
    expect(names).toHaveLength(18);
  });

  it('throws what is wrong with the app as a whole', () => {
    const app = new App();
    const chart = new Chart(app, 'a', { namespace: 'imaging' });
    new MedicalInferenceService(chart, 'ct', CPU_SERVICE);
    new MedicalInferenceService(chart, 'other', { ...CPU_SERVICE, name: 'ct' });
    expect(() => synthObjects(app)).toThrow("'name' (imaging/ct) must be unique in its namespace");
  });

  it('gives nothing of an empty app', () => {
    expect(synthObjects(new App())).toEqual([]);
  });
});

describe('findObject', () => {
  const object = (kind: string, name: string, namespace?: string): KubeObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace },
  });
  const objects = [object('Service', 'b', 'x'), object('Service', 'a', 'x'), object('Service', 'a', 'y')];

  it('finds by kind, name and namespace', () => {
    expect(findObject(objects, 'Service', 'b')).toBe(objects[0]);
    expect(findObject(objects, 'Service', 'a', 'y')).toBe(objects[2]);
  });

  it('lists what is there otherwise', () => {
    expect(() => findObject(objects, 'Service', 'c')).toThrow('no Service c; there is: x/a, x/b, y/a');
    expect(() => findObject(objects, 'Service', 'b', 'y')).toThrow('no Service y/b; there is: x/a, x/b, y/a');
    expect(() => findObject(objects, 'Service', 'a')).toThrow('more than one Service a; there is: x/a, x/b, y/a');
    expect(() => findObject(objects, 'Deployment', 'a')).toThrow('no Deployment a; there is: none');
    expect(() => findObject([object('NodePool', 'gpu')], 'NodePool', 'cpu')).toThrow('no NodePool cpu; there is: gpu');
  });
});

describe('hpaDesiredReplicas', () => {
  const desired = (replicas: number, metrics: HpaMetric[], readyReplicas = replicas): number =>
    hpaDesiredReplicas({ replicas, readyReplicas, minReplicas: 2, maxReplicas: 20, metrics });
  const value = (measured: number | undefined, target?: number): HpaMetric => ({
    type: 'Value',
    value: measured,
    target,
  });
  const average = (measured: number | undefined, target?: number): HpaMetric => ({
    type: 'AverageValue',
    value: measured,
    target,
  });

  it.each([
    [0.9, 10],
    [1.1, 10],
    // served as 1.100 and as 0.899
    [1.10099, 10],
    [0.89999, 9],
    [1.101, 12],
    [0.5, 5],
    [0.501, 6],
  ])('multiplies by the ratio outside of the tolerance: %d', (ratio, expected) => {
    expect(desired(10, [value(ratio)])).toBe(expected);
  });

  it('measures by the target', () => {
    expect(desired(10, [value(70.4, 64)])).toBe(10);
    expect(desired(10, [value(70.5, 64)])).toBe(12);
    expect(desired(10, [value(0.3, 0.2)])).toBe(15);
  });

  it('multiplies the ready replicas, but keeps all of them within the tolerance', () => {
    expect(desired(10, [value(1.5)], 8)).toBe(12);
    expect(desired(10, [value(1.5)], 4)).toBe(6);
    expect(desired(10, [value(1)], 4)).toBe(10);
  });

  it.each([
    [9, 10],
    [11, 10],
    [11.001, 12],
    [12, 12],
    [8.999, 9],
    [3, 3],
  ])('divides a sum of %d by the average', (sum, expected) => {
    expect(desired(10, [average(sum)])).toBe(expected);
    expect(desired(10, [average(sum * 25, 25)], 3)).toBe(expected);
  });

  it('takes the largest wish', () => {
    expect(desired(10, [value(0.2), average(7)])).toBe(7);
    expect(desired(10, [value(0.2), value(1)])).toBe(10);
    expect(desired(10, [value(0.2), average(14)])).toBe(14);
  });

  it('scales out without a metric, but not in', () => {
    expect(desired(10, [value(undefined), average(14)])).toBe(14);
    expect(desired(10, [value(undefined), average(4)])).toBe(10);
    expect(desired(10, [value(undefined), average(undefined)])).toBe(10);
  });

  it('keeps to the bounds, whatever the metrics say', () => {
    expect(desired(10, [value(9)])).toBe(20);
    expect(desired(10, [value(0)])).toBe(2);
    expect(desired(25, [value(9)])).toBe(20);
    expect(desired(1, [value(9)])).toBe(2);
    expect(desired(0, [value(9)])).toBe(0);
  });

  it('takes another tolerance', () => {
    const input = { replicas: 10, minReplicas: 1, maxReplicas: 20, metrics: [value(1.05)] };
    expect(hpaDesiredReplicas(input)).toBe(10);
    expect(hpaDesiredReplicas({ ...input, tolerance: 0 })).toBe(11);
  });

  it('refuses what no metrics API can serve', () => {
    expect(() => desired(10, [value(NaN)])).toThrow('the metrics API cannot serve NaN');
  });
});
