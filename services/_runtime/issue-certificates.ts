import { webcrypto } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
// What @peculiar/x509 is built with wants it there first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { Clock } from "./clock.ts";
import { type CallerName, callerNames } from "./topology.ts";

/** What `issueCertificates` needs. */
export interface IssueOptions {
  /** TRIPE_TLS_DIR; made when it is not there. */
  readonly folder: string;
  readonly clock: Clock;
  /** Makes a new authority beside the one that is trusted; default only when there is none, or it ends within a year. */
  readonly isNewAuthority?: boolean;
  /** Waits between the moment at which a new authority is trusted and the first certificate that it signs. */
  readonly untilTrusted: () => Promise<void>;
  /** How long certificates hold, in days; default 90. */
  readonly days?: number;
}

/** What was made. */
export interface Issued {
  /** Whether a new authority signed. */
  readonly isNewAuthority: boolean;
  readonly names: readonly CallerName[];
  /** When the certificates end, in milliseconds since 1970. */
  readonly expiryMs: number;
}

const DAY_MS = 86_400_000;

/** Long enough that nobody meets its end by surprise; the certificates it signs are short. */
const AUTHORITY_DAYS = 3_650;

/** A new authority takes over in good time: then every certificate ends before the authority that signed it. */
const AUTHORITY_RENEWAL_DAYS = 365;

const CERTIFICATE_DAYS = 90;

/** Clocks of two machines differ: a certificate holds from an hour ago. */
const SKEW_MS = 3_600_000;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

x509.cryptoProvider.set(webcrypto);

/**
 * Makes the certificates of all processes, or renews them: the authority in `ca.pem` and `ca.key`, which no process needs, and
 * for each name one file of its certificate and its key, replaced whole. A new authority stands in `ca.pem` beside the
 * former until that ends, and signs only after `untilTrusted`: running processes then trust both.
 */
export async function issueCertificates(options: IssueOptions): Promise<Issued> {
  const { folder, clock, days = CERTIFICATE_DAYS } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = await openAuthority(options);
  const expiryMs = clock.nowMs() + days * DAY_MS;
  for (const name of callerNames) await issueOne({ authority, folder, name, clock, expiryMs });
  return { isNewAuthority: authority.isNew, names: callerNames, expiryMs };
}

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: CryptoKey;
  readonly isNew: boolean;
}

async function openAuthority(options: IssueOptions): Promise<Authority> {
  const { folder, clock, isNewAuthority = false, untilTrusted } = options;
  const trusted = (await readCertificates(join(folder, "ca.pem"))).filter(({ notAfter }) => +notAfter > clock.nowMs());
  const [newest] = trusted;
  const lastsUntilMs = clock.nowMs() + AUTHORITY_RENEWAL_DAYS * DAY_MS;
  if (newest !== undefined && !isNewAuthority && +newest.notAfter > lastsUntilMs) {
    return { certificate: newest, key: await readKey(join(folder, "ca.key")), isNew: false };
  }
  const keys = await createKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Tripe services ${new Date(clock.nowMs()).toISOString().slice(0, 10)}`,
    serialNumber: createSerialNumber(),
    ...validity(clock, clock.nowMs() + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await replaceFile(join(folder, "ca.key"), await pemOfKey(keys.privateKey));
  await replaceFile(
    join(folder, "ca.pem"),
    [certificate, ...trusted].map((one) => `${one.toString("pem")}\n`).join(""),
  );
  if (newest !== undefined) await untilTrusted();
  return { certificate, key: keys.privateKey, isNew: true };
}

async function issueOne(of: {
  authority: Authority;
  folder: string;
  name: CallerName;
  clock: Clock;
  expiryMs: number;
}): Promise<void> {
  const { authority, folder, name, clock, expiryMs } = of;
  const keys = await createKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: authority.certificate.subject,
    serialNumber: createSerialNumber(),
    ...validity(clock, expiryMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  await replaceFile(join(folder, `${name}.pem`), `${certificate.toString("pem")}\n${await pemOfKey(keys.privateKey)}`);
}

function validity(clock: Clock, endMs: number): { notBefore: Date; notAfter: Date } {
  // A certificate that has ended already, as tests want it, has begun before that.
  return { notBefore: new Date(Math.min(clock.nowMs(), endMs) - SKEW_MS), notAfter: new Date(endMs) };
}

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** 16 bytes by chance, the first of them such that the number is positive and its length is fixed. */
function createSerialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  return Buffer.from([0x40 | ((bytes[0] ?? 0) & 0x3f), ...bytes.subarray(1)]).toString("hex");
}

async function readCertificates(file: string): Promise<x509.X509Certificate[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text === "" ? [] : x509.PemConverter.decode(text).map((bytes) => new x509.X509Certificate(bytes));
}

async function readKey(file: string): Promise<CryptoKey> {
  const [bytes] = x509.PemConverter.decode(await readFile(file, "utf8"));
  if (bytes === undefined) throw new Error(`${file} holds no key`);
  return webcrypto.subtle.importKey("pkcs8", bytes, algorithm, true, ["sign"]);
}

async function pemOfKey(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

/** Whole or not at all, whoever reads meanwhile. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}
