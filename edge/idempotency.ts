import { createHash, createHmac } from "node:crypto";
import { holdsCardNumber } from "../services/_runtime/card-number.ts";
import { refusalOf } from "../services/_runtime/errors.ts";
import type { CreateId } from "../services/_runtime/ids.ts";
import type { KeySource } from "../services/_runtime/key-files.ts";
import { cardNumberInText } from "./parameter-problems.ts";
import { idempotencyKeyInvalid } from "./problems.ts";

/** What makes a write one and the same write when it is sent again. */
export interface Identity {
  /** The internal request id of the action's last write. */
  readonly requestId: string;
  /** An HMAC of what was asked: a key that comes with another one was reused. */
  readonly digest: Uint8Array;
  /** The request id of an earlier write of the same action: `K/1`, `K/2`, … */
  step(number: number): string;
}

// Stripe's limit, and that of the events which carry the key.
const KEY_MAX = 255;

/** Reads the Idempotency-Key of a POST; undefined when there is none. Throws a Problem when it cannot be one. */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const isUsable = typeof header === "string" && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(header);
  if (!isUsable || header.length > KEY_MAX) throw idempotencyKeyInvalid(KEY_MAX);
  if (holdsCardNumber(header)) throw cardNumberInText("Idempotency-Key");
  return header;
}

/** A write as its client sent it. */
export interface SentWrite {
  readonly key: string | undefined;
  /** Whether it came with a publishable key, as from a page. */
  readonly isFromPage: boolean;
  readonly accountId: string;
  readonly method: string;
  readonly path: string;
  readonly params: unknown;
}

/** Makes a write's identity: of the client's key, or of a made one that nobody will send again. */
export function createIdentity(
  { key, isFromPage, accountId, method, path, params }: SentWrite,
  { requestKey, createId }: { requestKey: Uint8Array; createId: CreateId },
): Identity {
  const requestId = key === undefined ? createId("auto_") : requestIdOf(key, isFromPage);
  const content = JSON.stringify([method, path, accountId, canonical(params)]);
  const digest = createHmac("sha256", requestKey).update(content).digest();
  return { requestId, digest, step: (number) => `${requestId}/${number}` };
}

/**
 * Runs a write under its identity. Of a key that comes with another digest, the digests under the other live keys are tried too: while
 * keys rotate, what was first sent before is repeated with its first digest, and another edge may be a second ahead. The writer refuses
 * another digest before it changes anything, so each further run begins where the first did.
 */
export async function withIdentity<Answer>(
  write: SentWrite,
  { keys, createId }: { keys: KeySource; createId: CreateId },
  run: (identity: Identity) => Promise<Answer>,
): Promise<Answer> {
  if (write.method === "GET") return run(identityOfReads);
  const first = keys.current().first;
  const runWith = (requestKey: Uint8Array) => run(createIdentity(write, { requestKey, createId }));
  try {
    return await runWith(first.bytes);
  } catch (error) {
    if (write.key === undefined || !isReused(error)) throw error;
    const others = keys.latest().keys.filter(({ id }) => id !== first.id);
    for (const { bytes } of others) {
      try {
        return await runWith(bytes);
      } catch (other) {
        if (!isReused(other)) throw other;
      }
    }
    throw error;
  }
}

const identityOfReads: Identity = {
  get requestId(): string {
    throw new Error("a read has no request id");
  },
  get digest(): Uint8Array {
    throw new Error("a read has no digest");
  },
  step() {
    throw new Error("a read has no steps");
  },
};

function isReused(error: unknown): boolean {
  return refusalOf(error)?.reason === "REQUEST_ID_REUSED";
}

// Publishable keys stand in pages. Their holders must not use up the idempotency keys of the merchant's own program:
// those of pages are kept by a hash, which holds no slash.
function requestIdOf(key: string, isFromPage: boolean): string {
  return isFromPage ? `page_${createHash("sha256").update(key).digest("base64url")}` : keepClearOfSteps(key);
}

// A client's key such as "order/1" must not be taken for the first step of "order", nor "in_1", whose first step is
// "in_1/1", for what Tripe does by itself for that invoice or subscription ("in_1/1" is its first charge, begin-collection.ts),
// nor "auto_1" for a request without a key or "page_1" for one from a page: such keys get one more slash, so that no two keys become one and none ends like a step.
function keepClearOfSteps(key: string): string {
  return /^(?:auto|in|page|sub)_|\/\d+\/*$/.test(key) ? `${key}/` : key;
}

/** Orders the names of every object, so that the order in which a client wrote them does not matter. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, part]) => [name, canonical(part)]);
}
