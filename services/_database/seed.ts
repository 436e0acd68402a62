import { createHash } from "node:crypto";
import type { AccountSettings } from "../_runtime/config.ts";
import type { FeeSettings } from "../_runtime/config-fee.ts";
import { createId } from "../_runtime/ids.ts";
import { connectOwner } from "./connect-owner.ts";

/** What a fresh Tripe begins with. */
export interface SeedOptions {
  /** The owner's url. */
  readonly ownerUrl: string;
  /** The sandbox secret key, "sk_test_…": of it, only the SHA-256 is kept. */
  readonly secretKey: string;
  /** Who the merchant is; what is absent stays as it is. */
  readonly account?: AccountSettings;
  /** What Tripe keeps of the charges of accounts that are made now; absent, nothing. */
  readonly fee?: FeeSettings;
}

/** The accounts of the merchant that hosts this Tripe. */
export interface Seeded {
  readonly sandboxAccountId: string;
  readonly liveAccountId: string;
}

/** One number of our own for the advisory lock that keeps two starts from seeding at once ("seed" in ASCII). */
const SEED_LOCK = 0x73656564;

/**
 * Makes the merchant's two accounts, sandbox and live, unless they are there, and makes the key the sandbox account's
 * secret key. Run again, it changes nothing; with another key, that key is added and the earlier ones stay. What is said of
 * the merchant is written to both accounts.
 */
export async function seed({ ownerUrl, secretKey, account: said, fee }: SeedOptions): Promise<Seeded> {
  const client = await connectOwner(ownerUrl, "tripe_seed");
  try {
    await client.query("begin");
    await client.query("set local search_path to tripe");
    await client.query("select pg_advisory_xact_lock($1)", [SEED_LOCK]);
    const account = async (isLive: boolean) => {
      const { rows } = await client.query<{ account_id: string }>(
        "select account_id from account where is_live = $1 order by account_id limit 1",
        [isLive],
      );
      const known = rows[0]?.account_id;
      if (known !== undefined) return known;
      const accountId = createId("acct_");
      await client.query(
        `insert into account (account_id, is_live, name, email, address, default_currency_code, create_time,
            fee_basis_points, fee_fixed_minor)
          values ($1, $2, 'Tripe', '', '', 'USD', business_now($1), $3, $4)`,
        [accountId, isLive, fee?.basisPoints ?? 0, fee?.fixedMinor ?? 0],
      );
      return accountId;
    };
    const sandboxAccountId = await account(false);
    const liveAccountId = await account(true);
    await client.query(
      `update account set name = coalesce($1, name), email = coalesce($2, email), address = coalesce($3, address)
        where account_id in ($4, $5)`,
      [said?.name, said?.email, said?.address, sandboxAccountId, liveAccountId],
    );
    await client.query(
      `insert into api_key (account_id, api_key_id, key_sha256, kind, last4, create_time)
        values ($1, $2, $3, 'secret', $4, business_now($1)) on conflict (key_sha256) do nothing`,
      [sandboxAccountId, createId("key_"), createHash("sha256").update(secretKey).digest(), secretKey.slice(-4)],
    );
    await client.query("commit");
    return { sandboxAccountId, liveAccountId };
  } finally {
    await client.end();
  }
}
