import type { Snapshot } from "../../gen/tripe/billing/v1/event_pb.ts";
import { type Query, violatedConstraint } from "../_database/connect.ts";
import { assert } from "../_runtime/errors.ts";
import { findStored, type Request, snapshotBytes, type WriterDependencies, waitForAnswer } from "./answers.ts";
import { currentCause } from "./cause.ts";
import { dispatchTimeOf } from "./dispatch-time.ts";
import { columnsOf, type EventDraft } from "./event-drafts.ts";

/** What a change left behind. */
export interface Effect {
  /** The noun the request is answered with. */
  readonly answer: Snapshot;
  readonly nounId: string;
  readonly events: readonly EventDraft[];
}

const CLAIM = {
  name: "claim_request",
  text: `insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, client_key, create_time)
    values ($1, $2, $3, '', $4, $5, business_now($1))`,
};

const FINISH = {
  name: "finish_request",
  text: `with answered as (
      update idempotency set noun_id = $3, answer = $4, finish_time = business_now($1)
      where account_id = $1 and request_id = $2 and answer is null returning 1
    ), told as (
      insert into event (account_id, event_id, type, object_id, snapshot, previous, public_request_id, idempotency_key,
        create_time, dispatch_time)
      select $1, e.event_id, e.type, e.object_id, e.snapshot, e.previous, $5, $6, business_now($1),
        ${dispatchTimeOf({ account: "$1", type: "e.type" })}
      from unnest($7::text[], $8::text[], $9::text[], $10::bytea[], $11::bytea[])
        as e(event_id, type, object_id, snapshot, previous)
    )
    select count(*)::int as count from answered`,
};

/**
 * Makes a change once per request id: the claim, the work, its events and the stored answer are one commit. The same
 * request again gets the stored answer and does nothing. A refusal of the work leaves the request id free.
 */
export async function once(
  { database, clock }: WriterDependencies,
  request: Request,
  work: (query: Query) => Promise<Effect>,
): Promise<{ answer: Snapshot; isReplayed: boolean }> {
  try {
    const answer = await database.transaction(async (query) => {
      const { publicRequestId, clientKey } = currentCause();
      await query(CLAIM, [request.accountId, request.requestId, request.requestDigest, publicRequestId, clientKey]);
      const effect = await work(query);
      await finish(query, request, effect);
      return effect.answer;
    });
    return { answer, isReplayed: false };
  } catch (error) {
    if (violatedConstraint(error) !== "idempotency_pkey") throw error;
    // The claim waits for an equal one to commit or roll back, so a stored request is finished; only a charge's or a
    // return's is stored before it is.
    const answer = await waitForAnswer(clock, async () => (await findStored(database.query, request))?.answer);
    return { answer, isReplayed: true };
  }
}

async function finish(query: Query, request: Request, { answer, nounId, events }: Effect): Promise<void> {
  const { publicRequestId, clientKey } = currentCause();
  const [row] = await query<{ count: number }>(FINISH, [
    request.accountId,
    request.requestId,
    nounId,
    snapshotBytes(answer),
    publicRequestId,
    clientKey,
    ...columnsOf(events),
  ]);
  assert(row?.count === 1, "the claim of this very transaction is there to be finished");
}
