import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ConfigurationError } from '../../constructs/plan/errors';
import type { TrustedCaller } from '../../constructs/plan/gateway/config';
import { GatewayHeader } from '../../constructs/plan/gateway/names';
import { Priority } from '../../constructs/plan/priorities';
import { single } from './headers';

/** Shorter secrets can be guessed. */
const MIN_SECRET_LENGTH = 16;

/** A caller's alternative names: text that holds a separator is in quotes. */
const ALTERNATIVE_NAME = /(?:^|, )(?:DNS|URI):("(?:[^"\\]|\\.)*"|[^,]*)/g;

interface Caller {
  readonly addresses?: BlockList;
  readonly names?: readonly string[];
  readonly secretFile?: string;
  readonly priorities: readonly Priority[];
  /** Hashes, so that all are of one length. */
  secrets: readonly Buffer[];
}

/** Tells who may say how urgent a request is. */
export class Trust {
  readonly #callers: readonly Caller[];
  /** Callers that a connection could be, as far as the connection itself tells. */
  readonly #candidates = new WeakMap<Socket, readonly Caller[]>();

  /** @throws ConfigurationError where a secret cannot be read */
  constructor(callers: readonly TrustedCaller[]) {
    this.#callers = callers.map(({ cidrs, secretFile, certificateNames, priorities }) => ({
      addresses: cidrs === undefined ? undefined : blockList(cidrs),
      names: certificateNames,
      secretFile,
      priorities: priorities ?? Object.values(Priority),
      secrets: secretFile === undefined ? [] : readSecrets(secretFile),
    }));
  }

  /**
   * Reads the secrets again.
   *
   * @throws ConfigurationError where one cannot be read; the ones it had stay in force
   */
  reload(): void {
    for (const caller of this.#callers) {
      if (caller.secretFile !== undefined) {
        caller.secrets = readSecrets(caller.secretFile);
      }
    }
  }

  /** The priorities that the sender of a request may ask for; undefined where nobody vouches for it. */
  priorities(request: IncomingMessage): readonly Priority[] | undefined {
    const callers = this.#candidatesOf(request.socket).filter((caller) => knowsSecret(caller, request));
    return callers.length === 0 ? undefined : callers.flatMap(({ priorities }) => priorities);
  }

  #candidatesOf(socket: Socket): readonly Caller[] {
    let candidates = this.#candidates.get(socket);
    if (candidates === undefined) {
      candidates = this.#callers.filter((caller) => hasAddress(caller, socket) && hasCertificate(caller, socket));
      this.#candidates.set(socket, candidates);
    }
    return candidates;
  }
}

function hasAddress({ addresses }: Caller, { remoteAddress }: Socket): boolean {
  return (
    addresses === undefined ||
    (remoteAddress !== undefined && addresses.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4'))
  );
}

function hasCertificate({ names }: Caller, socket: Socket): boolean {
  if (names === undefined) {
    return true;
  }
  if (!(socket instanceof TLSSocket) || !socket.authorized) {
    return false;
  }
  const { subjectaltname = '' } = socket.getPeerCertificate();
  return [...subjectaltname.matchAll(ALTERNATIVE_NAME)].some(([, name]) => names.includes(name as string));
}

function knowsSecret({ secretFile, secrets }: Caller, request: IncomingMessage): boolean {
  if (secretFile === undefined) {
    return true;
  }
  const given = single(request, GatewayHeader.CALLER_SECRET);
  if (given === undefined) {
    return false;
  }
  const hash = sha256(given);
  return secrets.some((secret) => timingSafeEqual(secret, hash));
}

function readSecrets(path: string): Buffer[] {
  const fail = (because: string): never => {
    const must = `hold a secret of at least ${MIN_SECRET_LENGTH} characters a line`;
    throw new ConfigurationError([`'trustedCallers.secretFile' (${path}) must ${must} because ${because}`]);
  };
  let lines: string[] = [];
  try {
    lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  } catch (error) {
    fail(`it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  if (lines.length === 0 || lines.some((line) => line.length < MIN_SECRET_LENGTH)) {
    fail('shorter ones can be guessed');
  }
  return lines.map(sha256);
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address, bits] = cidr.split('/') as [string, string];
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
