import { createHash } from "node:crypto";
import { createClient } from "../../services/_database/connect-client.ts";
import { createId } from "../../services/_runtime/ids.ts";

/** A key as a test wants it; `expiresInS` seconds from now, negative for the past. */
export interface TestKey {
  readonly accountId: string;
  readonly text: string;
  readonly kind?: "publishable" | "restricted" | "secret";
  readonly expiresInS?: number;
  readonly scopes?: readonly string[];
  readonly isRevoked?: boolean;
}

/** Gives an account another key. */
export async function addKey(
  ownerUrl: string,
  { accountId, text, kind = "secret", expiresInS, scopes = [], isRevoked = false }: TestKey,
): Promise<void> {
  await runSql(
    ownerUrl,
    `insert into api_key (account_id, api_key_id, key_sha256, kind, last4, scopes, create_time, expire_time, revoke_time)
      values ($1, $2, $3, $4, $5, $6, business_now($1), business_now($1) + $7 * interval '1 second',
        case when $8 then business_now($1) end)`,
    [
      ...[accountId, createId("key_"), createHash("sha256").update(text).digest(), kind, text.slice(-4)],
      ...[scopes, expiresInS ?? null, isRevoked],
    ],
  );
}

/** Makes another merchant's sandbox account with a secret key. */
export async function addAccount(ownerUrl: string, keyText: string): Promise<void> {
  const accountId = createId("acct_");
  await runSql(
    ownerUrl,
    `insert into account (account_id, is_live, name, email, address, default_currency_code, create_time)
      values ($1, false, 'Another', '', '', 'EUR', business_now($1))`,
    [accountId],
  );
  await addKey(ownerUrl, { accountId, text: keyText });
}

async function runSql(url: string, text: string, values: unknown[]): Promise<void> {
  const client = createClient({ url, name: "tripe_edge_test" });
  await client.connect();
  try {
    await client.query(text, values);
  } finally {
    await client.end();
  }
}
