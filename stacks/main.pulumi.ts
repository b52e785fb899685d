/** `pulumi up`: the hospital of examples/03-hospital on the cluster that kubectl talks to. */
import { App } from 'cdk8s';
import { resultCache } from '../examples/03-hospital/cache';
import { platform } from '../examples/03-hospital/platform';
import { services } from '../examples/03-hospital/services';
import { ChartResources } from './chart-resources';
import { readConfig } from './config';
import { defineKeys, defineNamespaces, neededKeys } from './inference-platform';

const app = new App();
platform(app);
services(app, resultCache(app));

const keys = neededKeys(app);
const config = readConfig({ keys: () => keys, region: 'eu-central-1' });
if (config.createNamespaces) {
  defineNamespaces(app);
}
defineKeys(app, keys, config.valueOf);

new ChartResources('hospital', { charts: app });
