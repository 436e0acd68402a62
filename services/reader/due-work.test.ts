import { afterAll, expect, test } from "vitest";
import { PostponedWork } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { createClient } from "../_database/connect-client.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestTripe } from "../testing.ts";
import { createBillingSteps, line } from "../writer/testing-billing.ts";

const tripe = await startTestTripe();
const { accountId } = tripe;
const { reader, writer: scheduled } = tripe.clientsOf("scheduler");
const { writer } = tripe.clientsOf("edge");
const owner = createClient({ url: tripe.database.urls.owner, name: "tripe_test" });
await owner.connect();
afterAll(() => owner.end());

const due = async () => (await reader.findDueWork({})).work.map((work) => PostponedWorkWord[work]).sort();
const PostponedWorkWord = Object.fromEntries(Object.entries(PostponedWork).map(([word, work]) => [work, word]));

test("findDueWork names each kind of work of which something is due, and no other", async () => {
  expect(await due()).toEqual([]);
  const all = createBillingSteps(writer, accountId);
  const customerId = await all.createCustomer();
  const { subscription } = await all.subscribe(customerId, await all.createPrice());
  const open = await all.createOpen(customerId, [line()], { isAutoAdvancing: true });
  const { key } = all;
  await writer.beginSending({ ...key(), invoiceId: open.invoiceId, sendingId: createId("snd_") });
  await owner.query("update subscription set renew_time = renew_time + interval '1 year' where subscription_id = $1", [
    subscription.subscriptionId,
  ]);
  await owner.query(
    "update invoice set lease_end_time = null, next_attempt_time = next_attempt_time + interval '1 year'",
  );
  // Each waits for its time, or for 30 s of the caller that has it.
  expect(await due()).toEqual([]);
  const past = "statement_timestamp() - interval '1 s'";
  await owner.query(`update subscription set renew_time = ${past}`);
  expect(await due()).toEqual(["RENEWALS"]);
  await owner.query(`update invoice set next_attempt_time = ${past} where invoice_id = '${open.invoiceId}'`);
  await owner.query(`update mail set due_time = ${past}`);
  const webhookEndpoint = { webhookEndpointId: createId("we_"), url: "https://example.com", eventTypes: ["*"] };
  await writer.createWebhookEndpoint({ ...key(), webhookEndpoint });
  await all.createCustomer();
  expect(await due()).toEqual(["COLLECTIONS", "EVENTS", "MAILS", "RENEWALS"]);
  await scheduled.leaseCollections({ limit: 10 });
  await scheduled.leaseRenewals({ limit: 10 });
  await scheduled.leaseMails({ limit: 10, accountMax: 10 });
  expect(await due()).toEqual(["EVENTS"]);
  await scheduled.dispatchEvents({ limit: 10 });
  expect(await due()).toEqual(["WEBHOOKS"]);
  await scheduled.leaseDeliveries({ limit: 10, endpointMax: 10, accountMax: 10 });
  expect(await due()).toEqual([]);
});
