import { expect, test } from "vitest";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { createId } from "../_runtime/ids.ts";
import { readKeyRing } from "../_runtime/key-files.ts";
import { type KeyKind, keyFile } from "../_runtime/key-ring.ts";
import { setupWebhooks } from "../scheduler/testing/webhooks.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, selectRows } from "../transactions/testing.ts";
import { claimKeys } from "./key-claims.ts";
import { resealAll, retireKeys, rotateKey } from "./key-rotation.ts";

const tripe = await startTestTripe();
const { dataDir } = tripe.config;
const ownerUrl = tripe.database.urls.owner;
await claimKeys({ dataDir, ownerUrl, place: "test", passwords: undefined });
const steps = createSteps(tripe);
const webhooks = await setupWebhooks(tripe);
const optionsOf = (kind: KeyKind) => ({ kind, dataDir, ownerUrl, clock: systemClock });
const retire = (kind: KeyKind, breaksLinks = false) => retireKeys({ ...optionsOf(kind), breaksLinks });
const idsOf = async (kind: KeyKind) => (await readKeyRing(kind, keyFile(dataDir, kind)))?.keys.map(({ id }) => id);
const age = (kind: KeyKind, interval: string) =>
  selectRows(
    tripe,
    `update tripe.key_fingerprint set create_time = create_time - interval '${interval}' where kind = $1`,
    kind,
  );

test("T46: card keys rotate under load, no charge fails, and the old key is deletable once nothing is sealed with it", async () => {
  const payers = await Promise.all([1, 2, 3].map(() => steps.createPayer()));
  let isRunning = true;
  const states = new Set<number>();
  let count = 0;
  const load = payers.map(async (payer) => {
    for (; isRunning; count += 1) states.add((await steps.charge(steps.chargeRequest(payer))).charge.state);
  });
  const [old] = (await idsOf("card")) ?? [];
  const { first } = await rotateKey(optionsOf("card"));
  await expect(retire("card")).rejects.toThrow(/^the new card key is \d+ s old/);
  await age("card", "61 seconds");
  await expect(retire("card")).rejects.toThrow(
    "3 values are sealed with an older card key: run npm run keys -- reseal card",
  );
  expect(await resealAll(optionsOf("card"))).toEqual({ count: 3, unopenedCount: 0 });
  payers.push(await steps.createPayer());
  expect(await retire("card")).toEqual([old]);
  expect(await idsOf("card")).toEqual([first.id]);
  await tripe.stopService("bank");
  await tripe.startService("bank");
  isRunning = false;
  await Promise.all(load);
  for (const payer of payers) states.add((await steps.charge(steps.chargeRequest(payer))).charge.state);
  expect([...states]).toHaveLength(1);
  expect(count).toBeGreaterThan(10);
  const text = "select key_id from tripe.key_fingerprint where kind = 'card' and retire_time is null";
  expect(await selectRows(tripe, text)).toEqual([{ key_id: first.id }]);
});

test("webhook keys rotate, and a value that no key opens is counted and stays", async () => {
  await webhooks.createEndpoint("https://example.com/one");
  await selectRows(
    tripe,
    "update tripe.webhook_secret set sealed_secret = set_byte(sealed_secret, 40, get_byte(sealed_secret, 40) # 1)",
  );
  await webhooks.createEndpoint("https://example.com/two");
  await rotateKey(optionsOf("webhook"));
  expect(await resealAll(optionsOf("webhook"))).toEqual({ count: 1, unopenedCount: 1 });
  await age("webhook", "61 seconds");
  await expect(retire("webhook")).rejects.toThrow("1 values are sealed with an older webhook key");
});

test("an older request key is needed for a day, and for links to PDFs", async () => {
  await rotateKey(optionsOf("request"));
  await age("request", "61 seconds");
  await selectRows(tripe, "update tripe.idempotency set create_time = create_time - interval '2 minutes'");
  await expect(retire("request")).rejects.toThrow(
    /^\d+ requests of the last 24 hours are known by an older request key/,
  );
  await selectRows(tripe, "update tripe.idempotency set create_time = create_time - interval '1 day'");
  expect(await retire("request")).toHaveLength(1);
  await expect(retire("request")).rejects.toThrow("has one key, and nothing to retire");
  await expect(resealAll(optionsOf("request"))).rejects.toThrow("nothing is sealed with the request key");
});

test("a new database key waits behind the present one for a start", async () => {
  const [old] = (await idsOf("database")) ?? [];
  const { keys } = await rotateKey(optionsOf("database"));
  expect(keys.map(({ id }) => id)).toEqual([old, expect.not.stringMatching(String(old))]);
  await expect(rotateKey(optionsOf("database"))).rejects.toThrow("has a second key already");
  await expect(retire("database")).rejects.toThrow("in use once Tripe was started anew");
});

test("a CVC that waits for its card's first use is sealed anew with it, and opens with the new key alone", async () => {
  const { accountId } = tripe;
  const edge = tripe.clientsOf("edge");
  const paymentMethodId = createId("card_");
  const typed = { number: "4000000000000101", expMonth: 12, expYear: 2034, cvc: "314" };
  const sealed = await edge.bank.sealCard({ accountId, paymentMethodId, card: typed, isVerificationDeferred: true });
  const { card, sealedCard, sealedCvc } = sealed;
  const token = { tokenId: createId("tok_"), paymentMethod: { paymentMethodId, ...(card && { card }) } };
  const request = { accountId, requestId: createId("req_"), requestDigest: new Uint8Array([1]) };
  await edge.writer.createToken({ ...request, token, sealedCard, sealedCvc });
  await rotateKey(optionsOf("card"));
  const { unopenedCount } = await resealAll(optionsOf("card"));
  expect(unopenedCount).toBe(0);
  await age("card", "61 seconds");
  await retire("card");
  await edge.transactions.verifyPaymentMethod({ accountId, paymentMethodId });
  const { paymentMethod } = await edge.reader.getPaymentMethod({ accountId, paymentMethodId });
  expect(paymentMethod).toMatchObject({ isVerificationDue: false, card: { cvcCheck: CheckResult.FAIL } });
});
