import { ConfigurationError } from '../../constructs/plan/errors';
import type { PlatformTags } from '../../stacks/aws/tags';
import { isTaggable, type Graph } from './aws-graph';

export const TAGS: PlatformTags = { environment: 'test', costCentre: 'radiology' };

const CLIENTS = 'sg-nodes';
/** Where the stores of these tests are. */
export const PLACE = {
  vpcId: 'vpc-1',
  subnetIds: ['subnet-a', 'subnet-b', 'subnet-c'],
  clientSecurityGroupId: CLIENTS,
};

/** Expects one security group that lets the clients in on one port, and nothing else in or out. */
export function expectOnlyClients(graph: Graph, port: number): void {
  const group = graph.only('aws:ec2/securityGroup:SecurityGroup');
  expect(group.inputs).toMatchObject({ vpcId: 'vpc-1' });
  expect(group.inputs).not.toHaveProperty('ingress');
  expect(group.inputs).not.toHaveProperty('egress');
  const rule = graph.only('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule').inputs;
  expect(rule).toMatchObject({
    securityGroupId: `${group.name}-id`,
    referencedSecurityGroupId: CLIENTS,
    ipProtocol: 'tcp',
    fromPort: port,
    toPort: port,
  });
  for (const wider of ['cidrIpv4', 'cidrIpv6', 'prefixListId']) {
    expect(rule).not.toHaveProperty(wider);
  }
  expect(graph.ofType('aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule')).toEqual([]);
}

/** Expects the platform's tags on everything that takes tags. */
export function expectTagged(graph: Graph, service: string): void {
  const taggable = graph.resources.filter(({ type }) => isTaggable(type));
  expect(taggable.length).toBeGreaterThan(0);
  for (const { urn, inputs } of taggable) {
    expect({ urn, tags: inputs.tags }).toEqual({
      urn,
      tags: { service, environment: 'test', 'cost-centre': 'radiology' },
    });
  }
}

/** The problem lines that a component threw. */
export function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
}
