/** `pulumi up`: the hospital of examples/03-hospital on the cluster that kubectl talks to. */
import { App } from 'cdk8s';
import { resultCache } from '../examples/03-hospital/cache';
import { platform } from '../examples/03-hospital/platform';
import { services } from '../examples/03-hospital/services';
import { ChartResources } from './chart-resources';
import { readConfig } from './config';
import { defineNamespaces, defineSecrets, neededSecrets } from './inference-platform';

const app = new App();
platform(app);
services(app, resultCache(app));

const needed = neededSecrets(app);
const config = readConfig(needed);
if (config.createNamespaces) {
  defineNamespaces(app);
}
defineSecrets(app, needed, config.secretValue);

new ChartResources('hospital', { charts: app });
