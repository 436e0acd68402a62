import { isUnavailable } from "./connect-client.ts";

/** What a server that has TLS shows of a certificate that does not prove who it is (Node's codes of OpenSSL's errors). */
const certificateCodes =
  /^(SELF_SIGNED_CERT|DEPTH_ZERO_|UNABLE_TO_|CERT_|ERR_TLS_CERT_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** What poolers say instead of Postgres' codes; pgbouncer has one for all it refuses, which Postgres has for a lost connection. */
const authenticationWords = /authentication failed|no such user|password|auth_|SASL|login rejected/i;

const invalidAuthorization = "28000";
const invalidPassword = "28P01";
const unknownDatabase = "3D000";
const insufficientPrivilege = "42501";

/**
 * Says in one sentence why a server did not let a user of DATABASE_URL in, or did not do what a start needs; undefined for an
 * error that is not the server's. `place` is where it is, `user` who asked.
 */
export function explainRefusal(error: unknown, place: string, user: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const database = `the database of DATABASE_URL, ${place},`;
  if (certificateCodes.test(code)) {
    return (
      `${database} shows a certificate that does not prove its name (${error.message}): sslmode=require means verify-full ` +
      "here, so give the authority's certificate with sslrootcert=<file>, or sslmode=no-verify to trust any server"
    );
  }
  if (/does not support SSL/.test(error.message)) {
    return `${database} has no TLS, which DATABASE_URL asks for: take sslmode away where the way to it is private`;
  }
  if (/unsupported startup parameter/.test(error.message)) {
    return `${database} is a pooler that refuses what DATABASE_URL says after the ? (${error.message}): leave it out, or give Postgres' own address`;
  }
  if (code === unknownDatabase || /no such database/.test(error.message)) {
    return `${database} does not exist (${error.message}): make it with create database, or name another`;
  }
  if (
    code === invalidPassword ||
    code === invalidAuthorization ||
    (isPooler(code) && authenticationWords.test(error.message))
  ) {
    return `${database} does not let the user ${user} in (${error.message}): check its name, its password and the server's pg_hba.conf`;
  }
  if (code === insufficientPrivilege) {
    return `the role ${user} of DATABASE_URL lacks a right that a start needs (${error.message}): let it own the database ${place}, and what is in it`;
  }
  if (isPooler(code)) return `${database} refuses connections (${error.message})`;
  if (isUnavailable(error)) return `${database} does not answer`;
  return undefined;
}

function isPooler(code: string): boolean {
  return code === "08P01";
}
