import { LaunchTemplate } from '@pulumi/aws/ec2';
import { NodeGroup } from '@pulumi/aws/eks';
import type { Input, Resource } from '@pulumi/pulumi';
import type { Tags } from '../tags';
import type { NodeGroupPlan } from './node-group-plan';

/** Where a node group is. */
export interface NodeGroupPlace {
  /** Name of the EKS cluster. */
  readonly clusterName: Input<string>;
  /** Kubernetes version of its nodes. */
  readonly version: Input<string>;
  /** Private subnets. */
  readonly subnetIds: Input<Input<string>[]>;
  readonly nodeRoleArn: Input<string>;
  readonly tags: Tags;
  /** What nodes cannot join without. */
  readonly dependsOn: readonly Resource[];
}

/** AWS's own limits of one instance's resources: these are tagged when an instance is launched. */
const LAUNCHED = ['instance', 'volume', 'network-interface'];

/**
 * A managed node group of a plan, with encrypted gp3 volumes, and instance metadata that only IMDSv2 reads and no pod
 * reaches. Its nodes have the security group of the cluster. How many there are after the start is left to whoever scales
 * it. EKS replaces nodes that fall ill.
 */
export function managedNodeGroup(name: string, plan: NodeGroupPlan, place: NodeGroupPlace, parent: Resource): Resource {
  const tags = { ...plan.tags, ...place.tags };
  const template = new LaunchTemplate(
    name,
    {
      description: `Nodes of ${plan.name}`,
      updateDefaultVersion: true,
      blockDeviceMappings: plan.volumes.map(({ deviceName, sizeGiB }) => ({
        deviceName,
        ebs: { volumeType: 'gp3', volumeSize: sizeGiB, encrypted: 'true', deleteOnTermination: 'true' },
      })),
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      tagSpecifications: LAUNCHED.map((resourceType) => ({ resourceType, tags: { ...tags, Name: name } })),
      tags,
    },
    { parent },
  );
  return new NodeGroup(
    name,
    {
      clusterName: place.clusterName,
      version: place.version,
      nodeRoleArn: place.nodeRoleArn,
      subnetIds: place.subnetIds,
      amiType: plan.amiType,
      ...(plan.releaseVersion === undefined ? {} : { releaseVersion: plan.releaseVersion }),
      capacityType: plan.capacityType,
      instanceTypes: [...plan.instanceTypes],
      labels: plan.labels,
      taints: plan.taints.map((taint) => ({ ...taint })),
      launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
      // EKS wants a most of at least one
      scalingConfig: { minSize: plan.minNodes, desiredSize: plan.minNodes, maxSize: plan.maxNodes },
      updateConfig:
        'nodes' in plan.maxUnavailable
          ? { maxUnavailable: plan.maxUnavailable.nodes }
          : { maxUnavailablePercentage: plan.maxUnavailable.percentage },
      nodeRepairConfig: { enabled: true },
      tags,
    },
    { parent, dependsOn: [...place.dependsOn], ignoreChanges: ['scalingConfig.desiredSize'] },
  );
}
