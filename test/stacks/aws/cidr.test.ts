import fc from 'fast-check';
import { isPrivateRange, overlap, parseCidr, planSubnets } from '../../../stacks/aws/network/cidr';

test('divides the default VPC', () => {
  expect(planSubnets('10.0.0.0/16', 3)).toEqual({
    private: ['10.0.0.0/18', '10.0.64.0/18', '10.0.128.0/18'],
    public: ['10.0.192.0/24', '10.0.193.0/24', '10.0.194.0/24'],
    isolated: ['10.0.195.0/24', '10.0.196.0/24', '10.0.197.0/24'],
  });
});

test('small subnets shrink with the VPC', () => {
  expect(planSubnets('172.16.16.0/20', 6)).toMatchObject({
    private: [
      '172.16.16.0/23',
      '172.16.18.0/23',
      '172.16.20.0/23',
      '172.16.22.0/23',
      '172.16.24.0/23',
      '172.16.26.0/23',
    ],
    public: [
      '172.16.28.0/27',
      '172.16.28.32/27',
      '172.16.28.64/27',
      '172.16.28.96/27',
      '172.16.28.128/27',
      '172.16.28.160/27',
    ],
  });
});

const lengths = fc.integer({ min: 16, max: 20 });
const vpcs = fc
  .tuple(lengths, fc.nat({ max: 2 ** 24 - 1 }))
  .map(
    ([length, host]) =>
      `10.${[16, 8, 0].map((s) => ((Math.floor(host / 2 ** (32 - length)) * 2 ** (32 - length)) >> s) & 255).join('.')}/${length}`,
  );

test('in every VPC and number of zones, subnets are whole blocks within it, apart, of sizes that AWS takes', () => {
  fc.assert(
    fc.property(vpcs, fc.integer({ min: 2, max: 6 }), (cidr, zones) => {
      const plan = planSubnets(cidr, zones);
      const vpc = range(cidr);
      for (const kind of [plan.private, plan.public, plan.isolated]) {
        expect(kind).toHaveLength(zones);
      }
      const all = [...plan.private, ...plan.public, ...plan.isolated].map(range);
      all.sort((a, b) => a.first - b.first);
      all.forEach((subnet, index) => {
        expect(subnet.first).toBeGreaterThanOrEqual(Math.max(vpc.first, all[index - 1]?.end ?? 0));
        expect(subnet.end).toBeLessThanOrEqual(vpc.end);
        expect(subnet.length).toBeLessThanOrEqual(28);
      });
      const nodes = plan.private.map(range).reduce((sum, { first, end }) => sum + end - first, 0);
      expect(nodes).toBeGreaterThanOrEqual((vpc.end - vpc.first) / 2);
    }),
  );
});

/** First address, the one after the last, and the prefix length: by other arithmetic than the plan's. */
function range(cidr: string): { first: number; end: number; length: number } {
  const [address = '', length = ''] = cidr.split('/');
  const binary = address
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('');
  const network = binary.slice(0, Number(length));
  expect(binary.slice(Number(length))).not.toContain('1');
  return {
    first: parseInt(network.padEnd(32, '0'), 2),
    end: parseInt(network.padEnd(32, '1'), 2) + 1,
    length: Number(length),
  };
}

test.each(['10.0.0.0', '10.0.0.1/16', '10.0.0.256/24', '10.0.0.0/33', 'ten/16', '1.2.3/8', '', undefined])(
  '%s is no block',
  (cidr) => {
    expect(parseCidr(cidr)).toBeUndefined();
  },
);

test('refuses to divide what is no block', () => {
  expect(() => planSubnets('10.0.0.1/16', 3)).toThrow('10.0.0.1/16 is no block of IPv4 addresses');
});

test.each([
  ['10.0.0.0/8', true],
  ['172.31.0.0/16', true],
  ['172.32.0.0/16', false],
  ['192.168.0.0/16', true],
  ['192.168.0.0/15', false],
  ['100.64.0.0/10', true],
  ['8.8.8.0/24', false],
])('%s is private: %s', (cidr, expected) => {
  expect(isPrivateRange(cidr)).toBe(expected);
});

test.each([
  ['10.0.0.0/16', '10.0.128.0/20', true],
  ['10.0.128.0/20', '10.0.0.0/16', true],
  ['10.0.0.0/16', '10.1.0.0/16', false],
  ['10.0.0.0/16', 'nothing', false],
])('%s and %s overlap: %s', (one, other, expected) => {
  expect(overlap(one, other)).toBe(expected);
});
