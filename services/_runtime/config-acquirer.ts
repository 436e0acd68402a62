import { type Env, read } from "./config-read.ts";
import { formatHostPort, isLoopbackHost, parseHostPort } from "./host-port.ts";
import { createSecret, type Secret } from "./secret.ts";

/** The bank that speaks ISO 8583, and how it is reached. */
export interface AcquirerSettings {
  readonly host: string;
  readonly port: number;
  /** The socket of the sandbox bank, which then has no port. */
  readonly socketPath: string | undefined;
  /** Whether the connection is TLS. Without it the bank is on this machine, or `?tls=no` was said. */
  readonly tls: boolean;
  /** Whether it is the sandbox bank, which is started with Tripe. */
  readonly isSandbox: boolean;
  /** The id that the bank gave the company that runs this Tripe: ISO 8583 element 32, up to 11 digits. */
  readonly id: string;
  /** What signs us on: ISO 8583 element 96, 32 hexadecimal digits. The sandbox bank has one of the data folder's when this is undefined. */
  readonly password: Secret | undefined;
  /** PEM files; each undefined unless set, and always without TLS. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** Where the sandbox bank listens. */
export type SandboxPlace = Pick<AcquirerSettings, "host" | "port" | "socketPath">;

const FORMS = '"tls://host:port", "tcp://host:port" or "host:port"';

/** The settings of the acquirer of sandbox accounts, and of that of live accounts. */
type Prefix = "TRIPE_ACQUIRER" | "TRIPE_LIVE_ACQUIRER";

/** Reads the acquirer of sandbox accounts, TRIPE_ACQUIRER_…; absent, it is the sandbox bank at the given place. */
export function readAcquirer(env: Env, sandbox: SandboxPlace): AcquirerSettings {
  const given = readGiven(env, "TRIPE_ACQUIRER");
  const none = { caFile: undefined, certFile: undefined, keyFile: undefined };
  const known = { id: readId(env, "TRIPE_ACQUIRER"), password: readPassword(env, "TRIPE_ACQUIRER") };
  return given ?? { ...sandbox, tls: false, isSandbox: true, ...known, ...none };
}

/** Reads the acquirer of live accounts, TRIPE_LIVE_ACQUIRER_…; absent, live accounts have none. */
export function readLiveAcquirer(env: Env): AcquirerSettings | undefined {
  return readGiven(env, "TRIPE_LIVE_ACQUIRER");
}

function readGiven(env: Env, prefix: Prefix): AcquirerSettings | undefined {
  const files = {
    caFile: read(env, `${prefix}_CA`),
    certFile: read(env, `${prefix}_CERT`),
    keyFile: read(env, `${prefix}_KEY`),
  };
  const known = { id: readId(env, prefix), password: readPassword(env, prefix) };
  const value = read(env, `${prefix}_ADDRESS`);
  const found = value === undefined ? undefined : parseAcquirer(value, prefix);
  if (found?.tls !== true && Object.values(files).some((file) => file !== undefined)) {
    throw new Error(`${prefix}_CA, ${prefix}_CERT and ${prefix}_KEY need ${prefix}_ADDRESS=tls://host:port`);
  }
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    throw new Error(`${prefix}_CERT and ${prefix}_KEY belong together: set both or none`);
  }
  return found && { ...found, isSandbox: false, socketPath: undefined, ...known, ...files };
}

/** Writes an acquirer's address as the setting says it. */
export function describeAcquirer({ host, port, tls }: AcquirerSettings): string {
  const address = formatHostPort({ host, port });
  if (tls) return `tls://${address}`;
  return isLoopbackHost(host) ? address : `${address}?tls=no`;
}

function readId(env: Env, prefix: Prefix): string {
  const value = read(env, `${prefix}_ID`) ?? "000001";
  if (/^[0-9]{1,11}$/.test(value)) return value;
  throw new Error(`${prefix}_ID must be 1 to 11 digits, not "${value}"`);
}

function readPassword(env: Env, prefix: Prefix): Secret | undefined {
  const value = read(env, `${prefix}_PASSWORD`);
  if (value === undefined) return undefined;
  if (/^[0-9A-Fa-f]{32}$/.test(value)) return createSecret(value.toUpperCase());
  throw new Error(`${prefix}_PASSWORD must be 32 hexadecimal digits`);
}

function parseAcquirer(value: string, prefix: Prefix): { host: string; port: number; tls: boolean } {
  const [, protocol = "tcp", rest = "", query] = /^(?:(tls|tcp):\/\/)?([^?]*)(\?.*)?$/.exec(value) ?? [];
  const place = parseHostPort(rest);
  const isKnownQuery = query === undefined || query === "?tls=no";
  if (place === undefined || place.port === 0 || !isKnownQuery) {
    throw new Error(`${prefix}_ADDRESS must be ${FORMS}, not "${value}"`);
  }
  if (protocol === "tls" && query !== undefined) {
    throw new Error(`${prefix}_ADDRESS says both tls:// and ?tls=no`);
  }
  if (protocol === "tcp" && query === undefined && !isLoopbackHost(place.host)) {
    throw new Error(
      `${prefix}_ADDRESS would send card numbers to ${place.host} in clear: say tls://${rest}, ` +
        `or ${value}?tls=no where the network itself is encrypted`,
    );
  }
  return { ...place, tls: protocol === "tls" };
}
