import { Code } from "@connectrpc/connect";
import type { BeginCollectionRequest } from "../../gen/tripe/writer/v1/collections_pb.ts";
import { type Query, violatedConstraint } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";

const FIND = {
  name: "find_collection_claim",
  text: `select request_digest, invoice_id, charge_id from collection_claim where account_id = $1 and request_id = $2`,
};

const CLAIM = {
  name: "claim_collection",
  text: `insert into collection_claim (account_id, request_id, request_digest, invoice_id, charge_id, create_time)
    select $1, $2, $3, $4, $5, business_now($1, customer_id) from invoice where account_id = $1 and invoice_id = $4`,
};

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

/** Keeps what became of a request: its charge. Refuses REQUEST_ID_REUSED one that collects two invoices at once. */
export async function claimCollection(query: Query, request: BeginCollectionRequest, chargeId: string): Promise<void> {
  const { accountId, requestId, requestDigest, invoiceId } = request;
  try {
    await query(CLAIM, [accountId, requestId, requestDigest, invoiceId, chargeId]);
  } catch (error) {
    if (violatedConstraint(error) === "collection_claim_pkey") refuseReused();
    throw error;
  }
}

function refuseReused(): never {
  refuse(Code.AlreadyExists, "REQUEST_ID_REUSED", "this request id was used for another request", "request_id");
}
