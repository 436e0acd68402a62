import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { experimental } from "@grpc/grpc-js";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { type CallerName, readCaller } from "./topology.ts";

/** A process's certificate and the authorities it trusts, as grpc-js asks for them: again whenever they change on disk. */
export interface Certificates extends experimental.CertificateProvider {
  /** When the certificate in use ends, in milliseconds since 1970. */
  expiryMs(): number;
  /** Reads the files no more. */
  close(): void;
}

/** What `openCertificates` needs. */
export interface CertificatesOptions {
  /** TRIPE_TLS_DIR: `ca.pem`, the authorities, and `<name>.pem`, the certificate and its key. */
  readonly folder: string;
  readonly name: CallerName;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the files are looked at; default 5 s. */
  readonly refreshMs?: number;
}

/** An expiring certificate is replaced days before its end: whether seconds or minutes pass until it is read is no matter. */
const REFRESH_MS = 5_000;

const DAY_MS = 86_400_000;

/** A person has two weeks to run `npm run certificates`, and is reminded daily. */
const WARNING_MS = 14 * DAY_MS;

interface Files {
  readonly ca: Buffer;
  readonly own: Buffer;
  readonly expiryMs: number;
  readonly version: string;
}

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** Reads the certificates of a process, and goes on reading them. Refuses in words what cannot be used. */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { clock, log, refreshMs = REFRESH_MS } = options;
  let files = await readFiles(options);
  let warnedMs = Number.NEGATIVE_INFINITY;
  const warn = () => {
    const nowMs = clock.nowMs();
    if (files.expiryMs - nowMs > WARNING_MS || nowMs - warnedMs < DAY_MS) return;
    warnedMs = nowMs;
    log.warn("the certificate ends within 14 days: run npm run certificates", { expiry_ms: files.expiryMs });
  };
  warn();
  const caListeners = new Set<CaListener>();
  const identityListeners = new Set<IdentityListener>();
  const tell = () => {
    for (const listener of caListeners) listener({ caCertificate: files.ca });
    for (const listener of identityListeners) listener({ certificate: files.own, privateKey: files.own });
  };
  const refresh = async () => {
    warn();
    if ((await versionOf(options)) === files.version) return;
    files = await readFiles(options);
    log.info("certificates were read again", { expiry_ms: files.expiryMs });
    tell();
  };
  let isClosed = false;
  let cancelTimer = () => {};
  const watch = () => {
    if (isClosed) return;
    cancelTimer = clock.setTimer(() => {
      // What cannot be read now is read later; until then the former stay in use.
      refresh()
        .catch((error: unknown) => log.error("the certificates cannot be read", error))
        .finally(watch);
    }, refreshMs);
  };
  watch();
  return {
    addCaCertificateListener(listener) {
      caListeners.add(listener);
      // Never at once: a server of grpc-js 1.14.7 loses what it is given while it adds its listeners.
      process.nextTick(() => listener({ caCertificate: files.ca }));
    },
    removeCaCertificateListener: (listener) => void caListeners.delete(listener),
    addIdentityCertificateListener(listener) {
      identityListeners.add(listener);
      process.nextTick(() => listener({ certificate: files.own, privateKey: files.own }));
    },
    removeIdentityCertificateListener: (listener) => void identityListeners.delete(listener),
    expiryMs: () => files.expiryMs,
    close() {
      isClosed = true;
      cancelTimer();
    },
  };
}

/** The name that a peer's certificate proves: its one subject alternative name. The handshake has checked who signed it. */
export function peerNameOf(certificate: { readonly subjectaltname?: string } | undefined): CallerName | undefined {
  return readCaller(/^DNS:([a-z]+)$/.exec(certificate?.subjectaltname ?? "")?.[1]);
}

async function readFiles(options: CertificatesOptions): Promise<Files> {
  const { folder, name } = options;
  const [caFile, ownFile] = pathsOf(options);
  try {
    const version = await versionOf(options);
    const [ca, own] = await Promise.all([readFile(caFile), readFile(ownFile)]);
    const certificate = new X509Certificate(own);
    if (!certificate.checkPrivateKey(createPrivateKey(own))) throw new Error("its key is another certificate's");
    if (peerNameOf({ subjectaltname: certificate.subjectAltName ?? "" }) !== name) {
      throw new Error(`it is not of ${name} but of ${certificate.subjectAltName}`);
    }
    return { ca, own, expiryMs: certificate.validToDate.getTime(), version };
  } catch (error) {
    throw new Error(`TRIPE_TLS_DIR: ${folder} holds no usable certificate of ${name}; run npm run certificates`, {
      cause: error,
    });
  }
}

/** Changes whenever a file is replaced. */
async function versionOf(options: CertificatesOptions): Promise<string> {
  const found = await Promise.all(pathsOf(options).map((path) => stat(path)));
  return found.map(({ ino, mtimeMs, size }) => `${ino}/${mtimeMs}/${size}`).join(" ");
}

function pathsOf({ folder, name }: CertificatesOptions): [string, string] {
  return [join(folder, "ca.pem"), join(folder, `${name}.pem`)];
}
