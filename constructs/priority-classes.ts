import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { AppFacts } from './app-facts';
import type { PriorityClass } from './imports/priority-class';
import { kubeObject } from './kube-object';
import { PRIORITY_CLASSES, Priority } from './plan/priorities';

/**
 * The three PriorityClasses of a cluster: `emergency-priority` over `normal-priority` (the default of pods that name
 * none) over `batch-priority` (which never preempts). Define it once for each cluster.
 */
export class PriorityClasses extends Construct {
  /** The PriorityClass objects; patch them through these. */
  public readonly classes: { readonly [P in Priority]: ApiObject };

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.classes = {
      emergency: this.define(Priority.EMERGENCY),
      normal: this.define(Priority.NORMAL),
      batch: this.define(Priority.BATCH),
    };
    const { priorityClasses } = AppFacts.of(this);
    priorityClasses.push(this.node.path);
    this.node.addValidation({
      validate: () =>
        priorityClasses[0] === this.node.path
          ? []
          : [
              `'PriorityClasses' (${id}) must be defined once in an app because ${priorityClasses[0]} defines the ` +
                'same objects, and a cluster has one default priority',
            ],
    });
  }

  private define(priority: Priority): ApiObject {
    const { name, value, globalDefault, preemptionPolicy, description } = PRIORITY_CLASSES[priority];
    return kubeObject(this, priority, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      globalDefault,
      preemptionPolicy,
      description,
    } satisfies PriorityClass);
  }
}
