import { createSecret, type Secret } from "./secret.ts";
import { type CallerName, portOffset, type ServiceName } from "./topology.ts";

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

/** Everything that can be set from outside, with its default when it was not. */
export interface Config {
  /** PORT, default 8080: the edge's port; every other port is this one plus an offset. */
  readonly port: number;
  /** TRIPE_LISTEN_HOST, default 127.0.0.1: the address every process listens on. */
  readonly listenHost: string;
  /** TRIPE_DATA_DIR, default .tripe: database, mails, logs, keys. */
  readonly dataDir: string;
  /** TRIPE_SECRET_KEY: fixes the sandbox secret key; absent, one is made once and kept in the data dir. */
  readonly secretKey: Secret | undefined;
  /** TRIPE_ACCOUNT_NAME, _EMAIL and _ADDRESS: who the merchant is, on invoices and in mails; absent, as it was before. */
  readonly account: AccountSettings;
  /** DATABASE_URL: a Postgres of one's own; absent, the embedded one. */
  readonly databaseUrl: Secret | undefined;
  /** DATABASE_REPLICA_URL: a standby for lists; absent, everything is read from the primary. */
  readonly databaseReplicaUrl: Secret | undefined;
  /** SMTP_URL: a mail server; absent, mails are written to the data dir. */
  readonly smtpUrl: Secret | undefined;
  /** TRIPE_BANK_ADDRESS, default 127.0.0.1:PORT+9 (the sandbox bank): where the bank listens for ISO 8583. */
  readonly bankAddress: string;
  /** TRIPE_CARD_KEY: the card vault's keys (services/bank/keyring.ts); absent, made once and kept in the data dir. */
  readonly cardKey: Secret | undefined;
  /** TRIPE_BANK_FAULTS: what goes wrong in the sandbox bank, for tests (services/bank/sandbox/faults.ts); empty for nothing. */
  readonly bankFaults: string;
  /** TRIPE_CRASH_AT, for tests: each process kills itself at so many crash points (crash-points.ts); absent, none does. */
  readonly crashAt: number | undefined;
  /**
   * TRIPE_WEBHOOKS_LOOPBACK, "yes" or "no": whether endpoints on this machine may be called. Default "yes", as suits a sandbox;
   * "no" when DATABASE_URL is set, since strangers may register endpoints there.
   */
  readonly webhooksLoopback: boolean;
  /** TRIPE_EDGE_ACTIONS, default all: the actions this edge serves. */
  readonly edgeActions: readonly EdgeAction[];
  /** TRIPE_READER_ADDRESS and so on, default 127.0.0.1:PORT+offset: where callers find each service. */
  readonly addresses: Readonly<Record<ServiceName, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

// The last port, less the largest offset: every port of a Tripe must exist.
const PORT_MAX = 65_535 - Math.max(...Object.values(portOffset));

/** Reads the settings, from the process's environment unless told otherwise; refuses a bad one in words. */
export function readConfig(env: Env = process.env): Config {
  const port = readPort(env, "PORT", 8_080);
  const address = (name: ServiceName) =>
    readAddress(env, `TRIPE_${name.toUpperCase()}_ADDRESS`, `127.0.0.1:${port + portOffset[name]}`);
  return {
    port,
    listenHost: read(env, "TRIPE_LISTEN_HOST") ?? "127.0.0.1",
    dataDir: read(env, "TRIPE_DATA_DIR") ?? ".tripe",
    secretKey: readSecretKey(env),
    account: {
      name: readText(env, "TRIPE_ACCOUNT_NAME", 500),
      email: readEmail(env, "TRIPE_ACCOUNT_EMAIL"),
      address: readText(env, "TRIPE_ACCOUNT_ADDRESS", 2_000),
    },
    databaseUrl: readUrl(env, "DATABASE_URL", ["postgres:", "postgresql:"]),
    databaseReplicaUrl: readUrl(env, "DATABASE_REPLICA_URL", ["postgres:", "postgresql:"]),
    smtpUrl: readUrl(env, "SMTP_URL", ["smtp:", "smtps:"]),
    bankAddress: readAddress(env, "TRIPE_BANK_ADDRESS", `127.0.0.1:${port + portOffset.sandboxBank}`),
    cardKey: readSecret(env, "TRIPE_CARD_KEY"),
    bankFaults: readFaults(env),
    crashAt: readCrashAt(env),
    webhooksLoopback: readSwitch(env, "TRIPE_WEBHOOKS_LOOPBACK", read(env, "DATABASE_URL") === undefined),
    edgeActions: readEdgeActions(env),
    addresses: {
      reader: address("reader"),
      writer: address("writer"),
      pdf: address("pdf"),
      bank: address("bank"),
      scheduler: address("scheduler"),
      transactions: address("transactions"),
      mailer: address("mailer"),
      webhooks: address("webhooks"),
    },
  };
}

/** Says where a process of that name listens, as host:port. */
export function listenAddress(config: Config, name: CallerName | "sandboxBank"): string {
  return `${config.listenHost}:${config.port + portOffset[name]}`;
}

// An empty variable counts as absent: that is how a shell or a compose file leaves one out.
function read(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

function readText(env: Env, name: string, max: number): string | undefined {
  const value = read(env, name);
  if (value === undefined || value.length <= max) return value;
  throw new Error(`${name} must have at most ${max} characters`);
}

/** As much as tells an address from something else; whether it is somebody's, a mail will tell. */
function readEmail(env: Env, name: string): string | undefined {
  const value = readText(env, name, 512);
  if (value === undefined || /^[^\s@<>",;]+@[^\s@<>",;]+$/.test(value)) return value;
  throw new Error(`${name} must be one address, such as "me@example.com", not "${value}"`);
}

function readPort(env: Env, name: string, fallback: number): number {
  const value = read(env, name) ?? String(fallback);
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port >= 1 && port <= PORT_MAX) return port;
  throw new Error(`${name} must be a whole number from 1 to ${PORT_MAX}, not "${value}"`);
}

/** What goes wrong is the bank's to know (services/bank/sandbox/faults.ts); what cannot be said so is refused at the start. */
function readFaults(env: Env): string {
  const value = read(env, "TRIPE_BANK_FAULTS") ?? "";
  const part = "(lose|drop|late|delay|double|reset|malformed|echo|outage|slow|scale)=\\d+(\\.\\d+)?";
  if (value === "" || new RegExp(`^\\d+:${part}(,${part})*$`).test(value)) return value;
  throw new Error(`TRIPE_BANK_FAULTS must be a seed and percentages, such as 42:lose=5,drop=5, not "${value}"`);
}

function readCrashAt(env: Env): number | undefined {
  const value = read(env, "TRIPE_CRASH_AT");
  if (value === undefined) return undefined;
  // Nine digits: at a thousand points a second that is eleven days away.
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new Error(`TRIPE_CRASH_AT must be a whole number above zero, not "${value}"`);
}

function readSwitch(env: Env, name: string, fallback: boolean): boolean {
  const value = read(env, name);
  if (value === undefined) return fallback;
  if (value === "yes" || value === "no") return value === "yes";
  throw new Error(`${name} must be "yes" or "no", not "${value}"`);
}

function readAddress(env: Env, name: string, fallback: string): string {
  const value = read(env, name) ?? fallback;
  const port = Number(/^[^\s/]+:(\d{1,5})$/.exec(value)?.[1]);
  if (port >= 1 && port <= 65_535) return value;
  throw new Error(`${name} must be host:port, not "${value}"`);
}

// The value may hold a password, so the message does not repeat it.
function readUrl(env: Env, name: string, protocols: readonly string[]): Secret | undefined {
  const value = read(env, name);
  if (value === undefined) return undefined;
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return createSecret(value);
  throw new Error(`${name} must be an address that starts with ${protocols.map((word) => `${word}//`).join(" or ")}`);
}

function readSecret(env: Env, name: string): Secret | undefined {
  const value = read(env, name);
  return value === undefined ? undefined : createSecret(value);
}

function readSecretKey(env: Env): Secret | undefined {
  const value = read(env, "TRIPE_SECRET_KEY");
  if (value === undefined) return undefined;
  // The prefix tells the official SDKs, and people, that it is a sandbox key; 8 characters keep out slips like "x".
  if (/^sk_test_[0-9A-Za-z]{8,200}$/.test(value)) return createSecret(value);
  throw new Error('TRIPE_SECRET_KEY must be "sk_test_" and 8 to 200 letters or digits');
}

function readEdgeActions(env: Env): readonly EdgeAction[] {
  const words = (read(env, "TRIPE_EDGE_ACTIONS") ?? edgeActions.join(",")).split(",").map((word) => word.trim());
  const unknown = words.find((word) => !(edgeActions as readonly string[]).includes(word));
  if (unknown === undefined) return edgeActions.filter((action) => words.includes(action));
  throw new Error(`TRIPE_EDGE_ACTIONS must be some of ${edgeActions.join(",")}; "${unknown}" is none of them`);
}

/** The environment for a process that this one starts: this one's, with some variables set, or left out (undefined). */
export function createEnvironment(changes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const all = Object.entries({ ...process.env, ...changes });
  return Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
