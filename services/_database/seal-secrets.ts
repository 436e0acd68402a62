import type { KeySource } from "../_runtime/key-files.ts";
import { sealText } from "../_runtime/seal.ts";
import { connectOwner } from "./connect-owner.ts";

/** Rows that share a statement. */
const SET_MAX = 500;

interface PlainRow {
  readonly account_id: string;
  readonly webhook_endpoint_id: string;
  readonly request_id: string;
  readonly secret: string;
}

/**
 * Seals the webhook secrets that an earlier Tripe has left in the clear, and clears their table of what was there before. Returns how many
 * there were. Runs at a start, as the owner, before there is a writer.
 */
export async function sealPlainSecrets({ url, keys }: { url: string; keys: KeySource }): Promise<number> {
  const client = await connectOwner(url, "tripe_seal");
  try {
    await client.query("set search_path to tripe");
    let count = 0;
    for (;;) {
      const text = `select account_id, webhook_endpoint_id, request_id, secret from webhook_secret
        where secret is not null limit ${SET_MAX}`;
      const { rows } = await client.query<PlainRow>(text);
      for (const row of rows) {
        const owner = { accountId: row.account_id, objectId: row.webhook_endpoint_id };
        await client.query(
          `update webhook_secret set secret = null, sealed_secret = $4
            where account_id = $1 and webhook_endpoint_id = $2 and request_id = $3`,
          [row.account_id, row.webhook_endpoint_id, row.request_id, sealText(keys, row.secret, owner)],
        );
      }
      count += rows.length;
      if (rows.length < SET_MAX) break;
    }
    // Rows that were replaced stay in the table's file until it is written anew.
    if (count > 0) await client.query("vacuum (full) webhook_secret");
    return count;
  } finally {
    await client.end();
  }
}
