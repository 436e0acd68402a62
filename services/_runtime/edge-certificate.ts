import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { EdgeTlsFiles } from "./config-public.ts";

/** The certificate that an edge shows, as PEM. */
export interface ShownCertificate {
  /** The certificate and the chain that it is served with. */
  readonly cert: string;
  /** The first certificate of these. */
  readonly leaf: X509Certificate;
}

/** The edge's certificate with its private key, as PEM. */
export interface EdgeCertificate extends ShownCertificate {
  readonly key: string;
}

/** Reads TRIPE_TLS_CERT and TRIPE_TLS_KEY. Refuses in one sentence what no client could be served with. */
export async function readEdgeCertificate({ certFile, keyFile }: EdgeTlsFiles): Promise<EdgeCertificate> {
  const { cert, leaf } = await readShownCertificate(certFile);
  const key = await readPem("TRIPE_TLS_KEY", keyFile);
  const privateKey = attempt(
    () => createPrivateKey(key),
    `TRIPE_TLS_KEY: ${keyFile} holds no private key in PEM that opens without a passphrase.`,
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error(`TRIPE_TLS_KEY: ${keyFile} is not the key of the first certificate in ${certFile}.`);
  }
  // OpenSSL refuses more than the form, such as RSA keys of 1,024 bits.
  attempt(() => createSecureContext({ cert, key }), `TRIPE_TLS_CERT: ${certFile} cannot be used for TLS`);
  return { cert, leaf, key };
}

/** Reads TRIPE_TLS_CERT alone: what a client needs that connects to this very edge. */
export async function readShownCertificate(certFile: string): Promise<ShownCertificate> {
  const cert = await readPem("TRIPE_TLS_CERT", certFile);
  const leaf = attempt(() => new X509Certificate(cert), `TRIPE_TLS_CERT: ${certFile} holds no certificate in PEM.`);
  if (namesOf(leaf).length > 0) return { cert, leaf };
  throw new Error(
    `TRIPE_TLS_CERT: ${certFile} names no host (subjectAltName), so that clients would refuse the certificate.`,
  );
}

/** The names and addresses that a certificate is for; names may begin with "*.". */
export function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(([, name = ""]) => name);
}

async function readPem(setting: "TRIPE_TLS_CERT" | "TRIPE_TLS_KEY", file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new Error(`${setting}: ${file} cannot be read (${code}).`, { cause });
  });
}

function attempt<T>(work: () => T, words: string): T {
  try {
    return work();
  } catch (cause) {
    const isWhole = words.endsWith(".");
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(isWhole ? words : `${words} (${why}).`, { cause });
  }
}
