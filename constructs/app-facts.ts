import type { IConstruct } from 'constructs';
import type { NetworkPeer } from './plan/network';
import type { NodePoolSpec } from './plan/node-pools/spec';
import type { ServicePlan } from './plan/service/plan';

/** What one service tells the rest of its app. */
export interface ServiceFacts {
  /** Path of the construct. */
  readonly path: string;
  readonly plan: ServicePlan;
}

/** What one cache tells the rest of its app. */
export interface CacheFacts {
  /** Path of the construct. */
  readonly path: string;
  /** Who may reach its servers. Services that use it add themselves. */
  readonly users: NetworkPeer[];
}

/**
 * What the constructs of one app know of each other. Each construct registers itself once, so that checks across
 * constructs never have to walk the tree (a walk for every service would make synth quadratic).
 */
export class AppFacts {
  private static readonly byRoot = new WeakMap<IConstruct, AppFacts>();

  /** The facts of the app that a construct belongs to. */
  public static of(scope: IConstruct): AppFacts {
    const root = scope.node.root;
    let facts = AppFacts.byRoot.get(root);
    if (facts === undefined) {
      facts = new AppFacts();
      AppFacts.byRoot.set(root, facts);
    }
    return facts;
  }

  /** Node pools of the app, by construct path. */
  public readonly nodePools = new Map<string, NodePoolSpec>();

  /** Path of the first node pool of each `cluster/name`. */
  public readonly nodePoolPaths = new Map<string, string>();

  /** Services of the app, by `namespace/name`. */
  public readonly services = new Map<string, ServiceFacts>();

  /** Caches of the app, by `namespace/name`. */
  public readonly caches = new Map<string, CacheFacts>();

  /** ConfigMaps with programs, by `namespace/program`. */
  public readonly programs = new Map<string, string>();

  /** Certificates that users of caches show, by `namespace/name`. */
  public readonly clientCertificates = new Set<string>();

  /** Paths of the `PriorityClasses` of the app; more than one is a mistake. */
  public readonly priorityClasses: string[] = [];
}
