/** `pulumi up`: the hospital of examples/03-hospital, on the cluster that kubectl talks to or with a cloud of its own. */
import { ChartResources } from './chart-resources';
import { onAws } from './cloud';
import { readConfig } from './config';
import { REGION, hospital, missingKeys } from './hospital';
import { defineKeys, defineNamespaces } from './inference-platform';

const { cloud, createNamespaces, valueOf } = readConfig({ keys: missingKeys, region: REGION });
const { app, options } = cloud === undefined ? { app: hospital(), options: {} } : onAws(cloud);
if (createNamespaces) {
  defineNamespaces(app);
}
defineKeys(app, missingKeys(cloud !== undefined), valueOf);

// the add-ons bring the definitions, in the same run
new ChartResources('hospital', { charts: app, checkDefinitions: cloud === undefined }, options);
