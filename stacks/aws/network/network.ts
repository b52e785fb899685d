import {
  DefaultSecurityGroup,
  Eip,
  InternetGateway,
  NatGateway,
  Route,
  RouteTable,
  RouteTableAssociation,
  SecurityGroup,
  Subnet,
  Vpc,
  VpcEndpoint,
} from '@pulumi/aws/ec2';
import { getAvailabilityZonesOutput } from '@pulumi/aws/getAvailabilityZones';
import { SecurityGroupIngressRule } from '@pulumi/aws/vpc';
import { all, ComponentResource, output, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import { assertValid } from '../component';
import { awsLocation } from '../location';
import { serviceTags, type Tags } from '../tags';
import { checkNetwork, CIDR, firstZones, ZONES, type NetworkArgs } from './args';
import { planSubnets, type SubnetPlan } from './cidr';
import { NODE_SERVICES, s3EndpointPolicy } from './endpoints';
import { flowLogs } from './flow-logs';

/** A subnet and the table that routes its traffic. */
interface Zone {
  readonly subnet: Subnet;
  readonly routes: RouteTable;
  readonly association: RouteTableAssociation;
}

/** Subnets that the internet reaches, and the route to it. */
interface Internet {
  readonly subnets: readonly Subnet[];
  readonly route: Route;
}

/**
 * A VPC with three kinds of subnets in each of three zones: private ones for nodes, whose way out is a NAT gateway; public
 * ones for load balancers and NAT gateways; isolated ones for data stores, with no way out at all. Traffic to AWS's own
 * services stays in the VPC. The default security group lets nothing in or out, and flow logs tell who talked to whom.
 *
 * Cost: with defaults three NAT gateways and nine endpoints in three zones, see docs/aws-costs.md; `nat: 'single'` and a
 * shorter list of `endpoints` make it cheaper.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class Network extends ComponentResource {
  /** ID of the VPC. */
  public readonly vpcId: Output<string>;
  /** Its addresses. */
  public readonly cidr: string;
  /** Subnets of nodes, one a zone. Known when a node in them finds its way out: whatever needs it waits for that. */
  public readonly privateSubnetIds: readonly Output<string>[];
  /** Subnets of load balancers, one a zone. */
  public readonly publicSubnetIds: readonly Output<string>[];
  /** Subnets of data stores, one a zone. */
  public readonly isolatedSubnetIds: readonly Output<string>[];
  /** Names of the zones, in the order of the subnets. */
  public readonly zones: Output<readonly string[]>;

  constructor(name: string, args: NetworkArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => checkNetwork(problems, args));
    super('mediform:aws:Network', name, {}, options);
    const tags = serviceTags(args.tags, 'network');
    this.cidr = args.cidr ?? CIDR;
    this.zones = this.zonesOf(args);
    const vpc = new Vpc(
      `${name}-vpc`,
      {
        cidrBlock: this.cidr,
        enableDnsSupport: true,
        // private endpoints of the cluster and of services have names of their own
        enableDnsHostnames: true,
        tags: { ...tags, Name: name },
      },
      { parent: this },
    );
    this.vpcId = vpc.id;
    // given no rules, it loses those that AWS made it with
    new DefaultSecurityGroup(
      `${name}-default`,
      { vpcId: vpc.id, ingress: [], egress: [], tags: { ...tags, Name: `${name}-default` } },
      { parent: this },
    );
    const plan = planSubnets(this.cidr, args.zones?.length ?? ZONES);
    const internet = this.publicSubnets(name, plan, tags);
    const privateZones = this.privateZones(name, args, plan, tags);
    const isolated = this.isolatedZone(name, plan, tags);
    const tables = [...privateZones.map(({ routes }) => routes), isolated.routes];
    const waysOut = [
      ...privateZones.map(({ association }) => association),
      ...this.natRoutes(name, args, internet, privateZones, tags),
      ...this.endpoints(name, args, tables, privateZones, tags),
    ];
    flowLogs(name, { vpcId: vpc.id, logDays: args.logDays ?? 90, tags }, this);
    this.publicSubnetIds = internet.subnets.map(({ id }) => id);
    this.privateSubnetIds = privateZones.map(({ subnet }) =>
      all([subnet.id, all(waysOut.map(({ id }) => id))]).apply(([id]) => id),
    );
    this.isolatedSubnetIds = isolated.subnets.map(({ id }) => id);
    this.registerOutputs({ vpcId: this.vpcId });
  }

  private zonesOf({ zones }: NetworkArgs): Output<readonly string[]> {
    if (zones !== undefined) {
      return output([...zones]);
    }
    return getAvailabilityZonesOutput(
      // no local zones: they are one data centre each
      { state: 'available', filters: [{ name: 'opt-in-status', values: ['opt-in-not-required'] }] },
      { parent: this },
    ).names.apply(firstZones);
  }

  private subnet(name: string, zone: number, cidrBlock: string, tags: Tags): Subnet {
    return new Subnet(
      name,
      {
        vpcId: this.vpcId,
        cidrBlock,
        availabilityZone: this.zones.apply((zones) => zones[zone] ?? ''),
        // load balancers and NAT gateways have addresses of their own
        mapPublicIpOnLaunch: false,
        tags: { ...tags, Name: name },
      },
      { parent: this },
    );
  }

  private publicSubnets(name: string, plan: SubnetPlan, tags: Tags): Internet {
    const gateway = new InternetGateway(
      `${name}-internet`,
      { vpcId: this.vpcId, tags: { ...tags, Name: name } },
      { parent: this },
    );
    const routes = this.routeTable(`${name}-public`, tags);
    const route = new Route(
      `${name}-public`,
      { routeTableId: routes.id, destinationCidrBlock: '0.0.0.0/0', gatewayId: gateway.id },
      { parent: this },
    );
    const subnets = plan.public.map((cidr, zone) => {
      const subnet = this.subnet(`${name}-public-${zone}`, zone, cidr, { ...tags, 'kubernetes.io/role/elb': '1' });
      this.associate(`${name}-public-${zone}`, subnet, routes);
      return subnet;
    });
    return { subnets, route };
  }

  private privateZones(name: string, { clusterName }: NetworkArgs, plan: SubnetPlan, tags: Tags): Zone[] {
    return plan.private.map((cidr, zone) => {
      const subnet = this.subnet(`${name}-private-${zone}`, zone, cidr, {
        ...tags,
        'kubernetes.io/role/internal-elb': '1',
        'karpenter.sh/discovery': clusterName,
      });
      const routes = this.routeTable(`${name}-private-${zone}`, tags);
      return { subnet, routes, association: this.associate(`${name}-private-${zone}`, subnet, routes) };
    });
  }

  private isolatedZone(
    name: string,
    plan: SubnetPlan,
    tags: Tags,
  ): { readonly subnets: Subnet[]; readonly routes: RouteTable } {
    const routes = this.routeTable(`${name}-isolated`, tags);
    const subnets = plan.isolated.map((cidr, zone) => {
      const subnet = this.subnet(`${name}-isolated-${zone}`, zone, cidr, tags);
      this.associate(`${name}-isolated-${zone}`, subnet, routes);
      return subnet;
    });
    return { subnets, routes };
  }

  private natRoutes(
    name: string,
    args: NetworkArgs,
    { subnets, route }: Internet,
    zones: readonly Zone[],
    tags: Tags,
  ): Route[] {
    const { nat = 'per-zone' } = args;
    if (nat === 'none') {
      return [];
    }
    const gateways = subnets.slice(0, nat === 'single' ? 1 : undefined).map((subnet, zone) => {
      const tagged = { ...tags, Name: `${name}-nat-${zone}` };
      const address = new Eip(`${name}-nat-${zone}`, { domain: 'vpc', tags: tagged }, { parent: this });
      return new NatGateway(
        `${name}-nat-${zone}`,
        { subnetId: subnet.id, allocationId: address.id, tags: tagged },
        // it cannot start where the VPC has no way to the internet yet
        { parent: this, dependsOn: [route] },
      );
    });
    return zones.map(({ routes }, zone) => {
      const gateway = gateways[nat === 'single' ? 0 : zone];
      return new Route(
        `${name}-private-${zone}`,
        { routeTableId: routes.id, destinationCidrBlock: '0.0.0.0/0', natGatewayId: gateway?.id },
        { parent: this },
      );
    });
  }

  private endpoints(
    name: string,
    { endpoints = NODE_SERVICES }: NetworkArgs,
    tables: readonly RouteTable[],
    zones: readonly Zone[],
    tags: Tags,
  ): VpcEndpoint[] {
    const location = awsLocation({ parent: this });
    const serviceName = (service: string): Output<string> =>
      location.apply(({ region }) => `com.amazonaws.${region}.${service}`);
    const s3 = new VpcEndpoint(
      `${name}-s3`,
      {
        vpcId: this.vpcId,
        serviceName: serviceName('s3'),
        vpcEndpointType: 'Gateway',
        routeTableIds: tables.map(({ id }) => id),
        policy: location.apply((where) => JSON.stringify(s3EndpointPolicy(where))),
        tags: { ...tags, Name: `${name}-s3` },
      },
      { parent: this },
    );
    const access = this.endpointAccess(name, tags);
    const interfaces = endpoints.map(
      (service) =>
        new VpcEndpoint(
          `${name}-${service}`,
          {
            vpcId: this.vpcId,
            serviceName: serviceName(service),
            vpcEndpointType: 'Interface',
            privateDnsEnabled: true,
            subnetIds: zones.map(({ subnet }) => subnet.id),
            securityGroupIds: [access.id],
            tags: { ...tags, Name: `${name}-${service}` },
          },
          { parent: this },
        ),
    );
    return [s3, ...interfaces];
  }

  private endpointAccess(name: string, tags: Tags): SecurityGroup {
    const group = new SecurityGroup(
      `${name}-endpoints`,
      {
        vpcId: this.vpcId,
        description: 'Endpoints of AWS services',
        tags: { ...tags, Name: `${name}-endpoints` },
      },
      { parent: this },
    );
    new SecurityGroupIngressRule(
      `${name}-endpoints`,
      {
        securityGroupId: group.id,
        cidrIpv4: this.cidr,
        ipProtocol: 'tcp',
        fromPort: 443,
        toPort: 443,
        description: 'all of the VPC',
        tags,
      },
      { parent: this },
    );
    return group;
  }

  private routeTable(name: string, tags: Tags): RouteTable {
    return new RouteTable(name, { vpcId: this.vpcId, tags: { ...tags, Name: name } }, { parent: this });
  }

  private associate(name: string, subnet: Subnet, routes: RouteTable): RouteTableAssociation {
    return new RouteTableAssociation(name, { subnetId: subnet.id, routeTableId: routes.id }, { parent: this });
  }
}
