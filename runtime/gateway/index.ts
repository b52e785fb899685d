/** The inference gateway (`mediform/gateway`): admission by priority, the tiered cache and metering before a model. */
export type * from '../../constructs/plan/gateway/config';
export {
  AdminPath,
  CONFIG_PATH,
  CONFIG_VARIABLE,
  GatewayHeader,
  GatewayMetric,
} from '../../constructs/plan/gateway/names';
export { parseGatewayConfig, readGatewayConfig } from './config';
export { startGateway, type Gateway, type GatewayDeps } from './gateway';
