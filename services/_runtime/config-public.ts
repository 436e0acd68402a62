import { isIP } from "node:net";
import { resolve } from "node:path";
import { type Env, read } from "./config-read.ts";

/** Reads TRIPE_PUBLIC_URL: an origin without a slash at its end, such as "https://pay.example.com". */
export function readPublicUrl(env: Env): string | undefined {
  const value = read(env, "TRIPE_PUBLIC_URL");
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (isOrigin) return url.origin;
  throw new Error(`TRIPE_PUBLIC_URL must be an origin, such as https://pay.example.com, not "${value}"`);
}

/** Reads TRIPE_TRUSTED_PROXIES: addresses, or networks such as 10.0.0.0/8, with commas between. */
export function readTrustedProxies(env: Env): readonly string[] {
  const words = (read(env, "TRIPE_TRUSTED_PROXIES") ?? "").split(",").map((word) => word.trim());
  const proxies = words.filter((word) => word !== "");
  const wrong = proxies.find((word) => !isNetwork(word));
  if (wrong === undefined) return proxies;
  throw new Error(
    `TRIPE_TRUSTED_PROXIES must be addresses or networks, such as 10.0.0.0/8; "${wrong}" is none of them`,
  );
}

/** The PEM files of the edge's own certificate, as absolute paths. */
export interface EdgeTlsFiles {
  /** The certificate and the chain that it is served with. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** Reads TRIPE_TLS_CERT and TRIPE_TLS_KEY; undefined when the edge speaks HTTP. edge-certificate.ts reads the files. */
export function readEdgeTls(env: Env): EdgeTlsFiles | undefined {
  const [certFile, keyFile] = [read(env, "TRIPE_TLS_CERT"), read(env, "TRIPE_TLS_KEY")];
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile !== undefined && keyFile !== undefined)
    return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
  throw new Error("TRIPE_TLS_CERT and TRIPE_TLS_KEY belong together: set both or none");
}

function isNetwork(word: string): boolean {
  const [address = "", prefix, ...rest] = word.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}
