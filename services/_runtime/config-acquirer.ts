import { type Env, read } from "./config-read.ts";
import { formatHostPort, isLoopbackHost, parseHostPort } from "./host-port.ts";

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
  /** How the bank knows whoever runs this Tripe: ISO 8583 element 32, up to 11 digits. */
  readonly id: string;
  /** PEM files; each undefined unless set, and always without TLS. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** Where the sandbox bank listens. */
export type SandboxPlace = Pick<AcquirerSettings, "host" | "port" | "socketPath">;

const FORMS = '"tls://host:port", "tcp://host:port" or "host:port"';

/** Reads TRIPE_ACQUIRER_ADDRESS and the files of its TLS; absent, it is the sandbox bank at the given place. */
export function readAcquirer(env: Env, sandbox: SandboxPlace): AcquirerSettings {
  const files = {
    caFile: read(env, "TRIPE_ACQUIRER_CA"),
    certFile: read(env, "TRIPE_ACQUIRER_CERT"),
    keyFile: read(env, "TRIPE_ACQUIRER_KEY"),
  };
  const value = read(env, "TRIPE_ACQUIRER_ADDRESS");
  const found = value === undefined ? { ...sandbox, tls: false } : { ...parseAcquirer(value), socketPath: undefined };
  if (!found.tls && Object.values(files).some((file) => file !== undefined)) {
    throw new Error(
      "TRIPE_ACQUIRER_CA, TRIPE_ACQUIRER_CERT and TRIPE_ACQUIRER_KEY need TRIPE_ACQUIRER_ADDRESS=tls://host:port",
    );
  }
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    throw new Error("TRIPE_ACQUIRER_CERT and TRIPE_ACQUIRER_KEY belong together: set both or none");
  }
  return { ...found, isSandbox: value === undefined, id: readId(env), ...files };
}

/** Writes an acquirer's address as the setting says it. */
export function describeAcquirer({ host, port, tls }: AcquirerSettings): string {
  const address = formatHostPort({ host, port });
  if (tls) return `tls://${address}`;
  return isLoopbackHost(host) ? address : `${address}?tls=no`;
}

function readId(env: Env): string {
  const value = read(env, "TRIPE_ACQUIRER_ID") ?? "000001";
  if (/^[0-9]{1,11}$/.test(value)) return value;
  throw new Error(`TRIPE_ACQUIRER_ID must be 1 to 11 digits, not "${value}"`);
}

function parseAcquirer(value: string): { host: string; port: number; tls: boolean } {
  const [, protocol = "tcp", rest = "", query] = /^(?:(tls|tcp):\/\/)?([^?]*)(\?.*)?$/.exec(value) ?? [];
  const place = parseHostPort(rest);
  const isKnownQuery = query === undefined || query === "?tls=no";
  if (place === undefined || place.port === 0 || !isKnownQuery) {
    throw new Error(`TRIPE_ACQUIRER_ADDRESS must be ${FORMS}, not "${value}"`);
  }
  if (protocol === "tls" && query !== undefined) {
    throw new Error(`TRIPE_ACQUIRER_ADDRESS says both tls:// and ?tls=no`);
  }
  if (protocol === "tcp" && query === undefined && !isLoopbackHost(place.host)) {
    throw new Error(
      `TRIPE_ACQUIRER_ADDRESS would send card numbers to ${place.host} in clear: say tls://${rest}, ` +
        `or ${value}?tls=no where the network itself is encrypted`,
    );
  }
  return { ...place, tls: protocol === "tls" };
}
