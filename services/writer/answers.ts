import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Snapshot, SnapshotSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import type { Database, Query } from "../_database/connect.ts";
import type { Clock } from "../_runtime/clock.ts";
import { refuse } from "../_runtime/errors.ts";
import type { KeySource } from "../_runtime/key-files.ts";

/** What every state-changing request carries: whose it is, and by what it is known when it comes again. */
export interface Request {
  readonly accountId: string;
  readonly requestId: string;
  readonly requestDigest: Uint8Array;
}

/** What was stored under a request id. */
export interface Stored {
  readonly nounId: string;
  /** Undefined while it is still being made. */
  readonly answer: Snapshot | undefined;
}

/** How long a request waits for an equal one that is still running (3-money.md), before it is told to come again. */
const WAIT_MS = 2_000;

/** A charge takes two flushes and a bank: some ten looks in the time of a slow one. */
const LOOK_EVERY_MS = 50;

const FIND = {
  name: "find_answer",
  text: `select request_digest, noun_id, answer from idempotency where account_id = $1 and request_id = $2`,
};

/** The answer of a request, or of the charge that a collection of an invoice claimed. */
const FIND_ANY = {
  name: "find_any_answer",
  text: `select d.request_digest, d.noun_id, coalesce(d.answer, b.answer) as answer from idempotency d
    left join collection_claim k on k.account_id = d.account_id and k.request_id = d.request_id
    left join charge c on c.account_id = k.account_id and c.charge_id = k.charge_id
    left join idempotency b on b.account_id = c.account_id and b.request_id = c.request_id
    where d.account_id = $1 and d.request_id = $2`,
};

interface StoredRow {
  readonly request_digest: Buffer;
  readonly noun_id: string;
  readonly answer: Buffer | null;
}

/**
 * Finds what a request id was used for; undefined when it was not. Refuses with ALREADY_EXISTS, reason
 * REQUEST_ID_REUSED, a request of other content.
 */
export async function findStored(query: Query, request: Request): Promise<Stored | undefined> {
  return storedOf((await query<StoredRow>(FIND, [request.accountId, request.requestId]))[0], request);
}

/**
 * Finds the stored answer of a request, of whatever kind; none when no equal request was carried out. Refuses as `findStored`
 * and `waitForAnswer` do.
 */
export async function findAnswer({ database, clock }: WriterDependencies, request: Request) {
  const find = async () =>
    storedOf((await database.query<StoredRow>(FIND_ANY, [request.accountId, request.requestId]))[0], request);
  if ((await find()) === undefined) return {};
  return { answer: await waitForAnswer(clock, async () => (await find())?.answer) };
}

function storedOf(row: StoredRow | undefined, request: Request): Stored | undefined {
  if (row === undefined) return undefined;
  if (!row.request_digest.equals(request.requestDigest)) {
    refuse(Code.AlreadyExists, "REQUEST_ID_REUSED", "this request id was used for another request", "request_id");
  }
  return { nounId: row.noun_id, answer: row.answer === null ? undefined : fromBinary(SnapshotSchema, row.answer) };
}

/**
 * Waits until `look` finds an answer. Refuses with ABORTED, reason REQUEST_IN_PROGRESS, when the equal request is still
 * running after 2 s.
 */
export async function waitForAnswer<Answer>(clock: Clock, look: () => Promise<Answer | undefined>): Promise<Answer> {
  const endMs = clock.preciseMs() + WAIT_MS;
  for (;;) {
    const answer = await look();
    if (answer !== undefined) return answer;
    if (clock.preciseMs() >= endMs) {
      refuse(Code.Aborted, "REQUEST_IN_PROGRESS", "an equal request is still running", "request_id");
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** The bytes a noun is kept as, in answers and events: what it was at that moment, for good. */
export function snapshotBytes(snapshot: Snapshot): Uint8Array {
  return toBinary(SnapshotSchema, snapshot);
}

/** What the commands of the writer stand on. */
export interface WriterDependencies {
  readonly database: Database;
  readonly clock: Clock;
  /** The keys that seal webhook secrets. */
  readonly webhookKeys: KeySource;
}
