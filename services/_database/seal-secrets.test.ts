import { expect, test } from "vitest";
import { fixedKeys } from "../_runtime/key-files.ts";
import { unsealText } from "../_runtime/seal.ts";
import { createClient } from "./connect-client.ts";
import { sealPlainSecrets } from "./seal-secrets.ts";
import { createTestDatabase } from "./testing.ts";

const { urls } = await createTestDatabase();

test("secrets that an earlier Tripe left in the clear are sealed once, and open for their endpoint", async () => {
  const client = createClient({ url: urls.owner, name: "tripe_test" });
  await client.connect();
  const secret = "whsec_0123456789abcdefghijABCDEFGHIJ01";
  await client.query(`insert into account (account_id, is_live, name, email, address, default_currency_code, create_time)
      values ('acct_1', false, '', '', '', 'USD', statement_timestamp());
    insert into webhook_endpoint (account_id, webhook_endpoint_id, url, event_types, description, metadata, match_time, create_time)
      values ('acct_1', 'we_1', 'https://example.com', '{"*"}', '', '{}', statement_timestamp(), statement_timestamp());
    insert into webhook_secret (account_id, webhook_endpoint_id, request_id, secret, create_time)
      values ('acct_1', 'we_1', 'req_1', '${secret}', statement_timestamp())`);
  const keys = fixedKeys("webhook", Buffer.alloc(32, 5).toString("hex"));
  expect(await sealPlainSecrets({ url: urls.owner, keys })).toBe(1);
  expect(await sealPlainSecrets({ url: urls.owner, keys })).toBe(0);
  const { rows } = await client.query<{ secret: string | null; sealed_secret: Buffer }>("select * from webhook_secret");
  await client.end();
  const [row] = rows;
  expect(row?.secret).toBe(null);
  expect(unsealText(keys, row?.sealed_secret ?? Buffer.of(), { accountId: "acct_1", objectId: "we_1" })).toBe(secret);
});
