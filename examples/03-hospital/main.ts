/** A hospital: three services and a nightly batch, every kind of node pool, a cache, a cost ledger, and most of what can be set. */
import { App } from 'cdk8s';
import { resultCache } from './cache';
import { costs } from './costs';
import { platform } from './platform';
import { services } from './services';

const app = new App();
platform(app);
services(app, resultCache(app));
costs(app);
app.synth();
