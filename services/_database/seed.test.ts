import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createClient } from "./connect-client.ts";
import { seed } from "./seed.ts";
import { createTestDatabase } from "./testing.ts";

async function setup() {
  const { urls } = await createTestDatabase();
  const rows = async (text: string) => {
    const client = createClient({ url: urls.owner, name: "test" });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  return { ownerUrl: urls.owner, rows };
}

test("seed makes a sandbox and a live account, and keeps of the key only its hash and last four", async () => {
  const { ownerUrl, rows } = await setup();
  const secretKey = "sk_test_secret0001";
  const { sandboxAccountId, liveAccountId } = await seed({ ownerUrl, secretKey });
  expect(await rows("select account_id, is_live from account order by is_live")).toEqual([
    { account_id: sandboxAccountId, is_live: false },
    { account_id: liveAccountId, is_live: true },
  ]);
  expect(await rows("select account_id, kind, last4, key_sha256 from api_key")).toEqual([
    {
      account_id: sandboxAccountId,
      kind: "secret",
      last4: "0001",
      key_sha256: createHash("sha256").update(secretKey).digest(),
    },
  ]);
});

test("seed gives the accounts it makes their fee, and changes it in none that is there", async () => {
  const { ownerUrl, rows } = await setup();
  const one = { ownerUrl, secretKey: "sk_test_secret0001" };
  const find = "select fee_basis_points, fee_fixed_minor from account";
  await seed({ ...one, fee: { basisPoints: 290, fixedMinor: 30 } });
  await seed({ ...one, fee: { basisPoints: 100, fixedMinor: 0 } });
  await seed(one);
  const kept = { fee_basis_points: 290, fee_fixed_minor: 30 };
  expect(await rows(find)).toEqual([kept, kept]);
  const other = await setup();
  await seed({ ...one, ownerUrl: other.ownerUrl });
  const none = { fee_basis_points: 0, fee_fixed_minor: 0 };
  expect(await other.rows(find)).toEqual([none, none]);
});

test("seed writes who the merchant is, and leaves what is not said as it was", async () => {
  const { ownerUrl, rows } = await setup();
  const one = { ownerUrl, secretKey: "sk_test_secret0001" };
  const account = { name: "Ann's Books", email: "ann@example.com", address: undefined };
  await seed({ ...one, account });
  await seed({ ...one, account: { name: undefined, email: "bob@example.com", address: "1 Main St\nSpringfield" } });
  await seed(one);
  const now = { name: "Ann's Books", email: "bob@example.com", address: "1 Main St\nSpringfield" };
  expect(await rows("select name, email, address from account")).toEqual([now, now]);
});

test("seed run again changes nothing, also five times at once; another key is added", async () => {
  const { ownerUrl, rows } = await setup();
  const one = { ownerUrl, secretKey: "sk_test_secret0001" };
  const seeded = await Promise.all(Array.from({ length: 5 }, () => seed(one)));
  for (const again of seeded) expect(again).toEqual(seeded[0]);
  expect(await seed({ ownerUrl, secretKey: "sk_test_secret0002" })).toEqual(seeded[0]);
  expect(await rows("select last4 from api_key order by last4")).toEqual([{ last4: "0001" }, { last4: "0002" }]);
  expect(await rows("select count(*)::int as count from account")).toEqual([{ count: 2 }]);
});
