import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Certificates, openCertificates } from "../certificates.ts";
import { systemClock as clock } from "../clock.ts";
import type { Dialing } from "../dialing.ts";
import { type IssueOptions, issueCertificates } from "../issue-certificates.ts";
import type { TcpListening } from "../listening.ts";
import { silentLog as log } from "../log.ts";
import type { CallerName, ServiceName } from "../topology.ts";

/** A folder of certificates, and what processes make of them. */
export interface TlsPlace {
  readonly folder: string;
  /** Makes all certificates anew. */
  issue(options?: Partial<IssueOptions>): Promise<unknown>;
  open(name: CallerName): Promise<Certificates>;
  listening(name: ServiceName): Promise<TcpListening>;
  dialing(caller: CallerName): Promise<Dialing>;
}

/** Files are looked at so often that a test need not wait for it. */
export const REFRESH_MS = 20;

/** Makes one, removed when the process ends. */
export async function createTlsPlace(options: Partial<IssueOptions> = {}): Promise<TlsPlace> {
  const folder = await mkdtemp(join(tmpdir(), "tripe-tls-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const issue: TlsPlace["issue"] = (more) =>
    issueCertificates({ folder, clock, untilTrusted: () => clock.sleep(10 * REFRESH_MS), ...more });
  await issue(options);
  const open = (name: CallerName) => openCertificates({ folder, name, clock, log, refreshMs: REFRESH_MS });
  return {
    folder,
    issue,
    open,
    listening: async (name) => ({ kind: "tcp", address: "127.0.0.1:0", certificates: await open(name) }),
    dialing: async (caller) => ({ tokens: {}, certificates: await open(caller) }),
  };
}

let shared: Promise<TlsPlace> | undefined;

/** The one that all tests of a process share which change nothing in it. */
export function sharedTlsPlace(): Promise<TlsPlace> {
  shared ??= createTlsPlace();
  return shared;
}
