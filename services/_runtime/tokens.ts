import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { type CallerName, callerNames, readCaller, rpcsOf, type ServiceName, serviceNames } from "./topology.ts";

/** What a process proves its name with, and judges its callers by. */
export interface Tokens {
  /** The token to send to each service that this process may call. */
  readonly sent: Readonly<Partial<Record<ServiceName, string>>>;
  /** The SHA-256, in hexadecimal digits, of the token that each caller sends here. */
  readonly accepted: Readonly<Partial<Record<CallerName, string>>>;
}

/** Finds whose token it is; undefined for one that proves nothing. */
export type CheckToken = (token: string) => CallerName | undefined;

// The longest there is: "transactions." and 43 characters.
const TOKEN_MAX_CHARACTERS = 64;

/**
 * Makes the token that proves a caller to a callee: "<caller>.<HMAC-SHA256 of both>". The operator has one for all services,
 * since a person keeps it.
 */
export function createToken(key: Uint8Array, caller: CallerName, callee: ServiceName): string {
  const names = caller === "operator" ? "operator|*" : `${caller}|${callee}`;
  return `${caller}.${createHmac("sha256", key).update(names).digest("base64url")}`;
}

/** Makes the tokens of one process: those of the calls that the topology lists, and no others. */
export function createTokens(key: Uint8Array, name: CallerName): Tokens {
  const callees = serviceNames.filter((callee) => name === "operator" || rpcsOf(name, callee).length > 0);
  const sent = callees.map((callee) => [callee, createToken(key, name, callee)]);
  const service = serviceNames.find((one) => one === name);
  const callers = callerNames.filter((caller) => caller === "operator" || rpcsOf(caller, service ?? "bank").length > 0);
  const accepted =
    service === undefined ? [] : callers.map((caller) => [caller, digestOf(createToken(key, caller, service))]);
  return { sent: Object.fromEntries(sent), accepted: Object.fromEntries(accepted) };
}

/** Makes the judge of the tokens whose digests are given. Digests are compared in constant time. */
export function createTokenCheck(accepted: Tokens["accepted"]): CheckToken {
  const digests = new Map(Object.entries(accepted).map(([caller, digest]) => [caller, Buffer.from(digest, "hex")]));
  return (token) => {
    if (token.length > TOKEN_MAX_CHARACTERS) return undefined;
    const caller = readCaller(token.slice(0, token.indexOf(".")));
    const digest = caller === undefined ? undefined : digests.get(caller);
    if (digest === undefined) return undefined;
    return timingSafeEqual(hash("sha256", token, "buffer"), digest) ? caller : undefined;
  };
}

/**
 * Makes the password with which Tripe signs on at its sandbox bank: ISO 8583 element 96, 16 bytes, as hexadecimal digits. A bank
 * is no service, and its messages have no room for a token.
 */
export function createBankPassword(key: Uint8Array): string {
  return createHmac("sha256", key)
    .update("bank|sandbox-bank")
    .digest("hex")
    .slice(0, BANK_PASSWORD_DIGITS)
    .toUpperCase();
}

/** What element 96 holds. */
const BANK_PASSWORD_DIGITS = 32;

/** Makes the judge of passwords of which one has this digest, compared in constant time. */
export function createPasswordCheck(digest: string): (password: string | undefined) => boolean {
  const wanted = Buffer.from(digest, "hex");
  return (password = "") => timingSafeEqual(hash("sha256", password.toUpperCase(), "buffer"), wanted);
}

/** The digest by which a callee knows a token: SHA-256 in hexadecimal digits. */
export function digestOf(token: string): string {
  return hash("sha256", token, "hex");
}
