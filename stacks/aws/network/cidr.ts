/** Addresses of the subnets of one VPC, one of each kind in every zone. */
export interface SubnetPlan {
  /** Nodes and their pods; nearly all addresses. */
  readonly private: readonly string[];
  /** Load balancers and NAT gateways. */
  readonly public: readonly string[];
  /** Data stores; without a way to the internet. */
  readonly isolated: readonly string[];
}

/** A block of IPv4 addresses. */
interface Block {
  /** First address as a number. */
  readonly start: number;
  /** Prefix length. */
  readonly length: number;
}

/** A small subnet has at most 256 addresses: load balancers and data stores need few, and what is left is for growth. */
const SMALL_LENGTH = 24;

/**
 * Divides a VPC: of as many equal parts as there are zones and one more, each zone has one for its nodes, and the last one
 * holds the small subnets. `10.0.0.0/16` over three zones: `10.0.0.0/18`, `10.0.64.0/18`, `10.0.128.0/18` private,
 * `10.0.192.0/24` to `10.0.194.0/24` public, `10.0.195.0/24` to `10.0.197.0/24` isolated.
 *
 * @param cidr a block that `parseCidr` takes
 * @param zones 2 to 6
 */
export function planSubnets(cidr: string, zones: number): SubnetPlan {
  const vpc = parseCidr(cidr);
  if (vpc === undefined) {
    throw new RangeError(`${cidr} is no block of IPv4 addresses`);
  }
  const partLength = vpc.length + bits(zones + 1);
  const smallLength = Math.max(SMALL_LENGTH, partLength + bits(2 * zones));
  const part = (index: number): Block => ({ start: vpc.start + index * size(partLength), length: partLength });
  const small = (index: number): Block => ({
    start: part(zones).start + index * size(smallLength),
    length: smallLength,
  });
  const list = (block: (index: number) => Block, from: number): string[] =>
    Array.from({ length: zones }, (_, zone) => formatCidr(block(from + zone)));
  return { private: list(part, 0), public: list(small, 0), isolated: list(small, zones) };
}

/** The block that `a.b.c.d/n` names; undefined where that is no block, or not its first address. */
export function parseCidr(cidr: unknown): Block | undefined {
  const [, ...groups] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(String(cidr)) ?? [];
  const [a = 256, b = 256, c = 256, d = 256, length = 33] = groups.map(Number);
  const start = ((a * 256 + b) * 256 + c) * 256 + d;
  const valid = [a, b, c, d].every((byte) => byte <= 255) && length <= 32 && start % size(length) === 0;
  return valid ? { start, length } : undefined;
}

/** Whether two blocks have an address in common; false where one is none. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [parseCidr(one), parseCidr(other)];
  return a !== undefined && b !== undefined && a.start < end(b) && b.start < end(a);
}

/** Whether a block lies in the ranges of RFC 1918 (private) or RFC 6598 (carrier-grade NAT), which no host of the internet has. */
export function isPrivateRange(cidr: string): boolean {
  const block = parseCidr(cidr);
  return block !== undefined && PRIVATE_RANGES.some((range) => contains(parseCidr(range) as Block, block));
}

const PRIVATE_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

function contains(outer: Block, inner: Block): boolean {
  return outer.start <= inner.start && end(inner) <= end(outer);
}

function size(length: number): number {
  return 2 ** (32 - length);
}

function end({ start, length }: Block): number {
  return start + size(length);
}

/** Bits that number `count` things. */
function bits(count: number): number {
  return Math.ceil(Math.log2(count));
}

function formatCidr({ start, length }: Block): string {
  return `${[24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join('.')}/${length}`;
}
