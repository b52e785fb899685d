/** X.509 certificates for servers of tests, of elliptic-curve keys, valid for a day. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  /**
   * Names and IPv4 addresses of a server.
   *
   * @default - none: a client
   */
  readonly hosts?: readonly string[];
  /**
   * URIs of a client, such as its SPIFFE id.
   *
   * @default - none
   */
  readonly uris?: readonly string[];
}

/** An authority that issues certificates. */
export class CertificateAuthority {
  private readonly keys = newKeys();
  /** Its own certificate. */
  readonly certificate: string;

  constructor(private readonly commonName: string) {
    const extensions = [extension('2.5.29.19', sequence(der(0x01, 0xff))), keyUsage(0x06, 1)];
    this.certificate = this.sign(commonName, this.keys.publicKey, extensions);
  }

  issue({ commonName, hosts = [], uris = [] }: Subject): KeyPair {
    const { publicKey, privateKey } = newKeys();
    const purpose = hosts.length > 0 ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
    const extensions = [keyUsage(0x80, 7), extension('2.5.29.37', sequence(objectId(purpose)))];
    const names = [...hosts.map(alternativeName), ...uris.map((uri) => der(0x86, Buffer.from(uri)))];
    if (names.length > 0) {
      extensions.push(extension('2.5.29.17', sequence(...names)));
    }
    return { certificate: this.sign(commonName, publicKey, extensions), key: privateKeyPem(privateKey) };
  }

  private sign(subject: string, publicKey: KeyObject, extensions: readonly Buffer[]): string {
    const algorithm = sequence(objectId('1.2.840.10045.4.3.2')); // ECDSA with SHA-256
    const now = Date.now();
    const body = sequence(
      der(0xa0, der(0x02, 2)), // version 3
      der(0x02, 1, ...randomBytes(15)),
      algorithm,
      name(this.commonName),
      sequence(time(now - 3_600_000), time(now + 86_400_000)),
      name(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions)),
    );
    return pem('CERTIFICATE', sequence(body, algorithm, bits(0, sign('sha256', body, this.keys.privateKey))));
  }
}

/** Keys that sign the tokens of service accounts. */
export function signingKeys(): { readonly publicKey: string; readonly privateKey: string } {
  const { publicKey, privateKey } = newKeys();
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    privateKey: privateKeyPem(privateKey),
  };
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** A value in DER: its tag, its length, its content. */
function der(tag: number, ...parts: readonly (Buffer | number)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function bits(unused: number, content: Buffer): Buffer {
  return der(0x03, unused, content);
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((number) => {
    const groups = [number & 127];
    for (let left = number >> 7; left > 0; left >>= 7) {
      groups.unshift((left & 127) | 128);
    }
    return groups;
  });
  return der(0x06, first * 40 + second, ...bytes);
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

function time(milliseconds: number): Buffer {
  const text = new Date(milliseconds)
    .toISOString()
    .slice(2)
    .replace(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), der(0x01, 0xff), der(0x04, value));
}

function keyUsage(flags: number, unused: number): Buffer {
  return extension('2.5.29.15', bits(unused, Buffer.from([flags])));
}

function alternativeName(host: string): Buffer {
  return isIPv4(host) ? der(0x87, ...host.split('.').map(Number)) : der(0x82, Buffer.from(host));
}
