import type { GetOriginalRequestRequest } from "../../gen/tripe/reader/v1/requests_pb.ts";
import type { Query } from "../_database/connect.ts";

const GET = {
  name: "get_original_request",
  text: "select public_request_id from idempotency where account_id = $1 and request_id = $2",
};

/** Finds the public request that an idempotency key was first carried out for. */
export async function getOriginalRequest(query: Query, { accountId, requestId }: GetOriginalRequestRequest) {
  const [row] = await query<{ public_request_id: string }>(GET, [accountId, requestId]);
  return { publicRequestId: row?.public_request_id ?? "" };
}
