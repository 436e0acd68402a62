import { readFile } from "node:fs/promises";
import { isIP, connect as openSocket, type Socket } from "node:net";
import { connect as openTls } from "node:tls";
import type { Clock } from "../../_runtime/clock.ts";
import { formatHostPort } from "../../_runtime/host-port.ts";

/** PEM files of a TLS connection. They are read anew for each connection, so that a renewed certificate needs no restart. */
export interface TlsFiles {
  /** Who may sign the bank's certificate; absent, the authorities that Node trusts. */
  readonly caFile?: string | undefined;
  /** Our own certificate and its key, for a bank that asks who we are. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** Where a bank listens; over TLS when `tls` is there, and the bank's certificate must then be for `host`. */
export interface BankAddress {
  readonly host: string;
  readonly port: number;
  /** The socket of a bank on this machine, instead of host and port. */
  readonly socketPath?: string | undefined;
  readonly tls?: TlsFiles | undefined;
}

/** Writes a bank's address for a log, as the setting says it; of a bank on a socket, the socket's path. */
export function describeAddress({ socketPath, tls, ...place }: BankAddress): string {
  return socketPath ?? `${tls === undefined ? "" : "tls://"}${formatHostPort(place)}`;
}

/** Opens a socket to a bank; over TLS it is checked before it is given. Rejects, with words fit for a log, when there is none in time. */
export async function dial(address: BankAddress, { clock, timeoutMs }: DialOptions): Promise<Socket> {
  const { socket, readyEvent } = await open(address);
  const cancel = clock.setTimer(() => socket.destroy(new Error("no connection in time")), timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(readyEvent, resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the bank closed the connection")));
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw new Error(describeProblem(error), { cause: error });
  } finally {
    cancel();
  }
}

/** What dialling needs. */
export interface DialOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

async function open({ host, port, socketPath, tls }: BankAddress) {
  if (socketPath !== undefined) return { socket: openSocket({ path: socketPath }), readyEvent: "connect" };
  if (tls === undefined) return { socket: openSocket({ host, port, noDelay: true }), readyEvent: "connect" };
  const [ca, cert, key] = await Promise.all([tls.caFile, tls.certFile, tls.keyFile].map(readPem));
  // A name goes to the bank (SNI) and is what its certificate must be for; an address is not sent, and is checked as an address.
  const servername = isIP(host) === 0 ? host : "";
  const trust = { rejectUnauthorized: true, minVersion: "TLSv1.2" as const };
  try {
    const socket = openTls({ host, port, servername, ...trust, ca, cert, key });
    socket.setNoDelay(true);
    return { socket, readyEvent: "secureConnect" };
  } catch (error) {
    throw new Error(`the files for TLS cannot be used: ${describeProblem(error)}`, { cause: error });
  }
}

async function readPem(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  return readFile(file).catch((error: unknown) => {
    throw new Error(`${file} cannot be read: ${describeProblem(error)}`, { cause: error });
  });
}

const UNTRUSTED = "the bank's certificate is not signed by an authority that is trusted (TRIPE_ACQUIRER_CA)";

/** Codes of Node and OpenSSL that a person meets when a line to a bank is set up. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at the bank's address (connection refused)",
  ENOTFOUND: "the bank's host name is not known",
  ECONNRESET: "the bank reset the connection",
  EHOSTUNREACH: "the bank's host cannot be reached",
  CERT_HAS_EXPIRED: "the bank's certificate has expired",
  CERT_NOT_YET_VALID: "the bank's certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the bank's certificate is for another name",
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  ERR_SSL_WRONG_VERSION_NUMBER: "the bank does not speak TLS at this port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the bank does not speak TLS at this port",
};

/** Says why there is no connection. The words hold nothing of a message. */
export function describeProblem(error: unknown): string {
  if (!(error instanceof Error)) return "for no known reason";
  const code = "code" in error ? String(error.code) : "";
  if (/^ERR_SSL_.*_ALERT_/.test(code)) return `the bank refused our certificate, or its TLS ours (${code})`;
  return PROBLEMS[code] ?? error.message;
}
