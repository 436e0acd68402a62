import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";

/** A certificate and its key, as PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own, over elliptic curve keys, with no program but Node. */
export interface Authority extends Certified {
  /** Makes a certificate for a name or an address, valid from and to a moment in milliseconds since 1970. */
  issue(host: string, validity?: { readonly fromMs: number; readonly toMs: number }): Certified;
}

/** Good in any year a test runs in. */
const ALWAYS = { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2049, 0) };

/** Makes an authority. */
export function createAuthority(name: string): Authority {
  const keys = createKeys();
  const of = { subject: name, publicKey: keys.publicKey, issuer: name, issuerKey: keys.privateKey };
  const own = createCertificate({ ...of, validity: ALWAYS, extensions: [IS_AUTHORITY] });
  return {
    ...pemOf(own, keys.privateKey),
    issue(host, validity = ALWAYS) {
      const { publicKey, privateKey } = createKeys();
      const named = { subject: host, publicKey, issuer: name, issuerKey: keys.privateKey };
      return pemOf(createCertificate({ ...named, validity, extensions: [alternativeName(host)] }), privateKey);
    },
  };
}

interface CertificateParts {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly validity: { readonly fromMs: number; readonly toMs: number };
  readonly extensions: readonly Buffer[];
}

/** RFC 5280, in DER. */
function createCertificate({ subject, publicKey, issuer, issuerKey, validity, extensions }: CertificateParts): Buffer {
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const times = sequence(timeOf(validity.fromMs), timeOf(validity.toMs));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const listed = der(0xa3, sequence(...extensions));
  const body = sequence(version, der(0x02, serial), ECDSA_SHA256, nameOf(issuer), times, nameOf(subject), spki, listed);
  const signature = sign("sha256", body, issuerKey);
  return sequence(body, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature));
}

function createKeys() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function pemOf(certificate: Buffer, key: KeyObject): Certified {
  const lines = certificate.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  const cert = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return { cert, key: key.export({ type: "pkcs8", format: "pem" }).toString() };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** Object identifiers, as DER holds them: ecdsa-with-SHA256, commonName, basicConstraints, subjectAltName. */
const ECDSA_SHA256 = sequence(der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
const COMMON_NAME = der(0x06, Buffer.from("550403", "hex"));
const IS_AUTHORITY = sequence(
  der(0x06, Buffer.from("551d13", "hex")),
  der(0x01, Buffer.from([0xff])),
  der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
);

function alternativeName(host: string): Buffer {
  const isAddress = isIP(host) === 4;
  const value = isAddress ? Buffer.from(host.split(".").map(Number)) : Buffer.from(host);
  const names = sequence(der(isAddress ? 0x87 : 0x82, value));
  return sequence(der(0x06, Buffer.from("551d11", "hex")), der(0x04, names));
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
}

/** UTCTime, which serves to 2049. */
function timeOf(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[^0-9]/g, "");
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}
