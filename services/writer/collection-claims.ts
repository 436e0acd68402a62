import { Code } from "@connectrpc/connect";
import type { BeginCollectionRequest } from "../../gen/tripe/writer/v1/collections_pb.ts";
import { type Query, violatedConstraint } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { currentCause } from "./cause.ts";

const FIND = {
  name: "find_collection_claim",
  text: `select request_digest, invoice_id, charge_id from collection_claim where account_id = $1 and request_id = $2`,
};

/** A request id is one whatever is asked: the claim stands among all others too, so that no other request takes it. */
const CLAIM = {
  name: "claim_collection",
  text: `with claimed as (
      insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, client_key, create_time)
      values ($1, $2, $3, $5, $6, $7, business_now($1))
    )
    insert into collection_claim (account_id, request_id, request_digest, invoice_id, charge_id, create_time)
    select $1, $2, $3, $4, $5, business_now($1, customer_id) from invoice where account_id = $1 and invoice_id = $4`,
};

/** Either is violated by who is second: by another collection, or by any other request. */
const CLAIM_KEYS: readonly unknown[] = ["collection_claim_pkey", "idempotency_pkey"];

interface ClaimRow {
  readonly request_digest: Buffer;
  readonly invoice_id: string;
  readonly charge_id: string;
}

/**
 * Finds the charge that an equal request has claimed; undefined when there was none. With the invoice's row locked, two
 * equal ones see each other. Refuses with ALREADY_EXISTS, reason REQUEST_ID_REUSED, a request of other content.
 */
export async function findCollectionClaim(query: Query, request: BeginCollectionRequest): Promise<string | undefined> {
  const [row] = await query<ClaimRow>(FIND, [request.accountId, request.requestId]);
  if (row === undefined) return undefined;
  if (row.invoice_id !== request.invoiceId || !row.request_digest.equals(request.requestDigest)) refuseReused();
  return row.charge_id;
}

/** Keeps what became of a request: its charge. Refuses REQUEST_ID_REUSED one whose id was used for anything else. */
export async function claimCollection(query: Query, request: BeginCollectionRequest, chargeId: string): Promise<void> {
  const { accountId, requestId, requestDigest, invoiceId } = request;
  const { publicRequestId, clientKey } = currentCause();
  try {
    await query(CLAIM, [accountId, requestId, requestDigest, invoiceId, chargeId, publicRequestId, clientKey]);
  } catch (error) {
    if (CLAIM_KEYS.includes(violatedConstraint(error))) refuseReused();
    throw error;
  }
}

function refuseReused(): never {
  refuse(Code.AlreadyExists, "REQUEST_ID_REUSED", "this request id was used for another request", "request_id");
}
