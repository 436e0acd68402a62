import { join, resolve } from "node:path";
import { type AcquirerSettings, readAcquirer, readLiveAcquirer, type SandboxPlace } from "./config-acquirer.ts";
import { type FeeSettings, readFee } from "./config-fee.ts";
import { type EdgeTlsFiles, readEdgeTls, readPublicUrl, readTrustedProxies } from "./config-public.ts";
import {
  type Env,
  read,
  readAddresses,
  readEmail,
  readHost,
  readNumber,
  readSecret,
  readText,
  readUrl,
} from "./config-read.ts";
import { refuseUnknownSettings } from "./config-unknown.ts";
import { readWebhooks } from "./config-webhooks.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { formatHostPort } from "./host-port.ts";
import { readRunFile } from "./run-file.ts";
import { createSecret, type Secret } from "./secret.ts";
import { socketFolder } from "./sockets.ts";
import { portOffset, type ServiceName } from "./topology.ts";
import type { WebhookReach } from "./webhook-reach.ts";

/** The public actions an edge can serve. */
export const edgeActions = ["customers", "charges", "returns", "subscriptions", "invoices"] as const;

/** One of the five public actions. */
export type EdgeAction = (typeof edgeActions)[number];

/** What can be set of the merchant that hosts this Tripe. */
export interface AccountSettings {
  /** At most 500 characters. */
  readonly name: string | undefined;
  /** Where notices go, such as that of an endpoint that was disabled. */
  readonly email: string | undefined;
  /** Lines as they stand on an invoice; at most 2,000 characters. */
  readonly address: string | undefined;
}

/** Everything that can be set from outside; config-table.ts says what each setting means and what its default is. */
export interface Config {
  /** PORT: the edge's port; every other port is this one plus an offset. */
  readonly port: number;
  /** TRIPE_LISTEN_HOST: the address the edge listens on, IPv6 without brackets. */
  readonly listenHost: string;
  /** TRIPE_TLS_CERT and TRIPE_TLS_KEY: the edge's own certificate; absent, it speaks HTTP. */
  readonly edgeTls: EdgeTlsFiles | undefined;
  /** TRIPE_SERVICES_HOST: the address services listen on, over TLS; absent, they listen on sockets. */
  readonly servicesHost: string | undefined;
  /** TRIPE_TLS_DIR: the certificates of processes that call each other over TCP. */
  readonly tlsDir: string | undefined;
  /** TRIPE_RUN_DIR: the folder of sockets, an absolute path. */
  readonly runDir: string;
  /** TRIPE_DATA_DIR, as it was given. */
  readonly dataDir: string;
  /** TRIPE_LOG_MB, in bytes: the size at which a log is moved aside. */
  readonly logMaxBytes: number;
  /** TRIPE_SECRET_KEY: the sandbox secret key. */
  readonly secretKey: Secret | undefined;
  /** TRIPE_ACCOUNT_NAME, _EMAIL and _ADDRESS: the merchant, on invoices and in mails. */
  readonly account: AccountSettings;
  /** DATABASE_URL: a Postgres of one's own; absent, the embedded one. */
  readonly databaseUrl: Secret | undefined;
  /** SMTP_URL: a mail server; absent, mails are written to the data dir. */
  readonly smtpUrl: Secret | undefined;
  /** TRIPE_ACQUIRER_ADDRESS and its files: the bank that speaks ISO 8583. */
  readonly acquirer: AcquirerSettings;
  /** TRIPE_LIVE_ACQUIRER_ADDRESS and its files: the bank of live accounts; absent, there is none. */
  readonly liveAcquirer: AcquirerSettings | undefined;
  /** TRIPE_CARD_KEY: the card vault's keys (key-ring.ts). */
  readonly cardKey: Secret | undefined;
  /** TRIPE_BACKUP_PASSPHRASE_FILE: a file with the passphrase of backups. */
  readonly backupPassphraseFile: string | undefined;
  /** TRIPE_BANK_FAULTS: faults of the sandbox bank (services/bank/sandbox/faults.ts); empty for none. */
  readonly bankFaults: string;
  /** TRIPE_CRASH_AT, for tests: each process kills itself at its so many-th crash point (crash-points.ts). */
  readonly crashAt: number | undefined;
  /** TRIPE_WEBHOOKS_LOOPBACK and TRIPE_WEBHOOKS_CLOSED_PORTS: where webhooks may go on this machine. */
  readonly webhooks: WebhookReach;
  /** TRIPE_PUBLIC_URL: the origin of every link, without a slash at its end. */
  readonly publicUrl: string | undefined;
  /** TRIPE_TRUSTED_PROXIES: addresses and networks whose X-Forwarded headers count. */
  readonly trustedProxies: readonly string[];
  /** TRIPE_PDF_LINK_DAYS: how long the link to an invoice's PDF outlives the day the invoice is due. */
  readonly pdfLinkDays: number;
  /** TRIPE_FEE: what Tripe keeps of the charges of the accounts that the first start makes. */
  readonly fee: FeeSettings;
  /** TRIPE_EDGE_ACTIONS: the actions this edge serves. */
  readonly edgeActions: readonly EdgeAction[];
  /** TRIPE_READER_ADDRESS and so on: where callers find each service. */
  readonly addresses: Readonly<Record<ServiceName, readonly string[]>>;
}

// The last port, less the largest offset: every port of a Tripe must exist.
const PORT_MAX = 65_535 - Math.max(...Object.values(portOffset));

/** Reads the settings, from the process's environment unless one is given. Refuses in words what is bad or unknown. */
export function readConfig(env: Env = process.env): Config {
  refuseUnknownSettings(env);
  const port = readPort(env);
  const dataDir = read(env, "TRIPE_DATA_DIR") ?? "";
  const places = { port, ...readPlaces(env, dataDir) };
  const listenHost = readHost(env, "TRIPE_LISTEN_HOST") ?? "";
  const liveAcquirer = readLiveAcquirer(env);
  const acquirer = readAcquirer(env, readSandboxPlace(env, places));
  return {
    ...places,
    listenHost,
    edgeTls: readEdgeTls(env),
    dataDir,
    logMaxBytes: (readNumber(env, "TRIPE_LOG_MB", { min: 1, max: 100_000 }) ?? 0) * 1_000_000,
    secretKey: readSecretKey(env),
    account: {
      name: readText(env, "TRIPE_ACCOUNT_NAME", 500),
      email: readEmail(env, "TRIPE_ACCOUNT_EMAIL"),
      address: readText(env, "TRIPE_ACCOUNT_ADDRESS", 2_000),
    },
    databaseUrl: readDatabaseUrl(env),
    smtpUrl: readUrl(env, "SMTP_URL", ["smtp:", "smtps:"]),
    acquirer,
    liveAcquirer,
    cardKey: readSecret(env, "TRIPE_CARD_KEY"),
    backupPassphraseFile: read(env, "TRIPE_BACKUP_PASSPHRASE_FILE"),
    bankFaults: readFaults(env),
    // Nine digits: at a thousand points a second that is eleven days away.
    crashAt: readNumber(env, "TRIPE_CRASH_AT", { min: 1, max: 999_999_999 }),
    webhooks: readWebhooks(env, {
      port,
      listenHost,
      acquirerPorts: [acquirer, liveAcquirer].flatMap((one) => one?.port ?? []),
    }),
    publicUrl: readPublicUrl(env),
    trustedProxies: readTrustedProxies(env),
    // Ten years: as good as for ever.
    pdfLinkDays: readNumber(env, "TRIPE_PDF_LINK_DAYS", { min: 1, max: 3_650 }) ?? 0,
    fee: readFee(env),
    edgeActions: readEdgeActions(env),
    addresses: readServiceAddresses(env, places),
  };
}

/** The sandbox bank speaks to this machine alone. */
const SANDBOX_HOST = "127.0.0.1";

/** The name of its socket. */
export const SANDBOX_SOCKET = "sandbox-bank";

/** Says where a process of that name listens: "unix:/path" or "host:port". */
export function listenAddress(config: Config, name: ServiceName | "edge" | "sandboxBank"): string {
  const { port, listenHost } = config;
  if (name === "edge") return formatHostPort({ host: listenHost, port: port + portOffset.edge });
  if (name === "sandboxBank") {
    const { socketPath } = config.acquirer;
    return socketPath === undefined ? formatHostPort(config.acquirer) : `unix:${socketPath}`;
  }
  return serviceAddress(config, name);
}

function readSandboxPlace(env: Env, { port, runDir }: Places): SandboxPlace {
  const asked = readNumber(env, "TRIPE_SANDBOX_PORT", { min: 1, max: 65_535 });
  const hasSocket = asked === undefined && process.platform !== "win32";
  return {
    host: SANDBOX_HOST,
    port: asked ?? port + portOffset.sandboxBank,
    socketPath: hasSocket ? join(runDir, `${SANDBOX_SOCKET}.sock`) : undefined,
  };
}

type Places = Pick<Config, "port" | "servicesHost" | "tlsDir" | "runDir">;

function serviceAddress({ port, servicesHost, runDir }: Places, name: ServiceName): string {
  if (servicesHost === undefined) return `unix:${join(runDir, `${name}.sock`)}`;
  return formatHostPort({ host: servicesHost, port: port + portOffset[name] });
}

function readPlaces(env: Env, dataDir: string): Omit<Places, "port"> {
  // Node has no Unix sockets on Windows: there services listen on loopback TCP, over certificates that the supervisor makes.
  // That has not been run.
  const isWindows = process.platform === "win32";
  const servicesHost = readHost(env, "TRIPE_SERVICES_HOST") ?? (isWindows ? "127.0.0.1" : undefined);
  const tlsDir = read(env, "TRIPE_TLS_DIR") ?? (isWindows ? join(dataDir, "tls") : undefined);
  if (servicesHost !== undefined && tlsDir === undefined) {
    throw new Error(
      `TRIPE_SERVICES_HOST is ${servicesHost}, but TRIPE_TLS_DIR is not set: services speak TCP over mutual TLS alone. ` +
        "Run npm run certificates, and name its folder.",
    );
  }
  return { servicesHost, tlsDir, runDir: resolve(read(env, "TRIPE_RUN_DIR") ?? socketFolder(dataDir)) };
}

function readServiceAddresses(env: Env, places: Places): Config["addresses"] {
  const own = (name: ServiceName) => [serviceAddress(places, name)];
  return {
    reader: readAddresses(env, "TRIPE_READER_ADDRESS") ?? own("reader"),
    writer: readAddresses(env, "TRIPE_WRITER_ADDRESS") ?? own("writer"),
    pdf: readAddresses(env, "TRIPE_PDF_ADDRESS") ?? own("pdf"),
    bank: readAddresses(env, "TRIPE_BANK_ADDRESS") ?? own("bank"),
    scheduler: readAddresses(env, "TRIPE_SCHEDULER_ADDRESS") ?? own("scheduler"),
    transactions: readAddresses(env, "TRIPE_TRANSACTIONS_ADDRESS") ?? own("transactions"),
    mailer: readAddresses(env, "TRIPE_MAILER_ADDRESS") ?? own("mailer"),
    webhooks: readAddresses(env, "TRIPE_WEBHOOKS_ADDRESS") ?? own("webhooks"),
  };
}

function readPort(env: Env): number {
  const port = readNumber(env, "PORT", { min: 1, max: PORT_MAX });
  if (port === undefined) throw new Error("PORT has no default");
  return port;
}

function readDatabaseUrl(env: Env): Secret | undefined {
  const value = read(env, "DATABASE_URL");
  return value === undefined ? undefined : createSecret(parseDatabaseUrl("DATABASE_URL", value));
}

/** Checks the form; the sandbox bank gives it a meaning (services/bank/sandbox/faults.ts). */
function readFaults(env: Env): string {
  const value = read(env, "TRIPE_BANK_FAULTS") ?? "";
  const part = "(lose|drop|late|delay|double|reset|malformed|echo|outage|slow|scale)=\\d+(\\.\\d+)?";
  if (value === "" || new RegExp(`^\\d+:${part}(,${part})*$`).test(value)) return value;
  throw new Error(`TRIPE_BANK_FAULTS must be a seed and percentages, such as 42:lose=5,drop=5, not "${value}"`);
}

function readSecretKey(env: Env): Secret | undefined {
  const value = read(env, "TRIPE_SECRET_KEY");
  if (value === undefined) return undefined;
  // The prefix tells the official SDKs, and people, that it is a sandbox key; 8 characters keep out slips like "x".
  if (/^sk_test_[0-9A-Za-z]{8,200}$/.test(value)) return createSecret(value);
  throw new Error('TRIPE_SECRET_KEY must be "sk_test_" and 8 to 200 letters or digits');
}

function readEdgeActions(env: Env): readonly EdgeAction[] {
  const words = (read(env, "TRIPE_EDGE_ACTIONS") ?? "").split(",").map((word) => word.trim());
  const unknown = words.find((word) => !(edgeActions as readonly string[]).includes(word));
  if (unknown === undefined) return edgeActions.filter((action) => words.includes(action));
  throw new Error(`TRIPE_EDGE_ACTIONS must be some of ${edgeActions.join(",")}; "${unknown}" is none of them`);
}

/**
 * Reads the settings for a tool beside a running Tripe: what is not set is as it is for the Tripe that runs on the data
 * folder (run-file.ts). `url` is its edge's, by the settings alone when none runs there.
 */
export function readRunningConfig(env: Env = process.env): Config & { readonly url: string } {
  const running = readRunFile(read(env, "TRIPE_DATA_DIR") ?? "");
  const isSet = ([, value]: [string, string | undefined]) => value !== undefined && value.trim() !== "";
  const config = readConfig({ ...running?.settings, ...Object.fromEntries(Object.entries(env).filter(isSet)) });
  const isThere = running !== undefined && running.settings["PORT"] === String(config.port);
  const protocol = config.edgeTls === undefined ? "http" : "https";
  return { ...config, url: isThere ? running.url : `${protocol}://${listenAddress(config, "edge")}` };
}

/** Says whether npm runs this program as one of its scripts. */
export function isStartedByNpm(env: Env = process.env): boolean {
  return env["npm_lifecycle_event"] !== undefined;
}

/** The environment for a process that this one starts: this one's, with some variables set, or left out (undefined). */
export function createEnvironment(changes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const all = Object.entries({ ...process.env, ...changes });
  return Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
