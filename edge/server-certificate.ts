import { stat } from "node:fs/promises";
import type { Server } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { Clock } from "../services/_runtime/clock.ts";
import type { EdgeTlsFiles } from "../services/_runtime/config-public.ts";
import { readEdgeCertificate } from "../services/_runtime/edge-certificate.ts";
import type { Log } from "../services/_runtime/log.ts";
import { type ServerCertificate, tlsOptionsOf } from "./http-server.ts";

/** What opening the edge's certificate takes. */
export interface CertificateOptions {
  readonly files: EdgeTlsFiles;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the files are looked at; default 2 s. */
  readonly refreshMs?: number;
}

/** The edge's certificate, which is read again when its files change. */
export interface RenewedCertificate extends ServerCertificate {
  /** Shows the newest to the new connections of a server. */
  renewOn(server: Server): void;
  /** Looks at the files no more. */
  close(): void;
}

/** Two `stat`s; a renewal is days early, and a person who tries one waits for it. */
const REFRESH_MS = 2_000;

/**
 * Reads the edge's certificate, and goes on reading it: files that have stayed the same from one look to the next are used.
 * Those that cannot be used are logged once, and the certificate in use stays.
 */
export async function openCertificate(options: CertificateOptions): Promise<RenewedCertificate> {
  const { files, clock, log, refreshMs = REFRESH_MS } = options;
  const first = await readEdgeCertificate(files);
  let inUse = first;
  let server: Server | undefined;
  let [read, seen]: [string | undefined, string | undefined] = [undefined, undefined];
  const refresh = async () => {
    const version = await versionOf(files);
    const isSettled = version === seen;
    seen = version;
    if (!isSettled || version === read) return;
    read = version;
    const certificate = await readEdgeCertificate(files).catch(async (error: unknown) => {
      // Files that were replaced while they were read need not fit each other: the next looks will see.
      if ((await versionOf(files)) === version) throw error;
      return undefined;
    });
    if (certificate === undefined) return;
    if (certificate.cert === inUse.cert && certificate.key === inUse.key) return;
    if (server instanceof TlsServer) server.setSecureContext(tlsOptionsOf(certificate));
    inUse = certificate;
    log.info("the certificate was read again", { expiry_ms: validityOf(certificate).toMs });
  };
  let isClosed = false;
  let cancelTimer = () => {};
  const watch = () => {
    if (isClosed) return;
    cancelTimer = clock.setTimer(() => {
      refresh()
        .catch((error: unknown) => log.error("the new certificate cannot be used; the former stays", error))
        .finally(watch);
    }, refreshMs);
  };
  return {
    cert: first.cert,
    key: first.key,
    validity: () => validityOf(inUse),
    renewOn(renewed) {
      server = renewed;
      watch();
    },
    close() {
      isClosed = true;
      cancelTimer();
    },
  };
}

function validityOf({ leaf }: Awaited<ReturnType<typeof readEdgeCertificate>>) {
  return { fromMs: leaf.validFromDate.getTime(), toMs: leaf.validToDate.getTime() };
}

/** Changes whenever a file is replaced, or missing. */
async function versionOf({ certFile, keyFile }: EdgeTlsFiles): Promise<string> {
  const found = await Promise.all([certFile, keyFile].map((file) => stat(file).catch(() => undefined)));
  return found.map((stats) => (stats ? `${stats.ino}/${stats.mtimeMs}/${stats.size}` : "none")).join(" ");
}
