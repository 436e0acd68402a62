import { expect, test } from "vitest";
import { readKeyRing, writeKeyRing } from "../services/_runtime/key-files.ts";
import { createKeyRing, keyFile } from "../services/_runtime/key-ring.ts";
import { effectsOf, makeDue, selectRows } from "../services/transactions/testing.ts";
import { startBench } from "./testing/tripe.ts";

// A card that does not open is Tripe's own fault: no customer may hear of it as a decline.
const bench = await startBench();
const { tripe } = bench;
const file = keyFile(tripe.config.dataDir, "card");

async function restartBank() {
  await tripe.stopService("bank");
  await tripe.startService("bank");
}

const alertsOf = (chargeId: string) =>
  selectRows<{ reason: string; is_open: boolean }>(
    tripe,
    `select l.reason, l.resolve_time is null as is_open from alert l
      join attempt t on t.account_id = l.account_id and t.attempt_id = l.object_id where t.charge_id = $1`,
    chargeId,
  );

async function resolve(chargeId: string) {
  await makeDue(tripe, chargeId);
  await tripe.clientsOf("scheduler").transactions.resolveAttempts({});
  const { body } = await bench.ask({ method: "GET", url: `/v1/charges/${chargeId}` });
  return body["status"];
}

test("a charge whose card's key is lost is pending, with one alert, and succeeds when the key is back", async () => {
  const card = { number: "4242424242424242", exp_month: 12, exp_year: 2034 };
  const token = await bench.ask({ method: "POST", url: "/v1/tokens", payload: { card } });
  const customer = await bench.ask({ method: "POST", url: "/v1/customers", payload: { source: token.body["id"] } });
  const kept = await readKeyRing("card", file);
  if (kept === undefined) throw new Error("there are card keys");
  await writeKeyRing(file, createKeyRing("card"));
  await restartBank();

  const payload = { amount: 700, currency: "usd", customer: customer.body["id"] };
  const { status, body } = await bench.ask({ method: "POST", url: "/v1/charges", payload });
  expect([status, body["status"], body["failure_code"]]).toEqual([200, "pending", null]);
  const chargeId = String(body["id"]);
  expect(await alertsOf(chargeId)).toEqual([{ reason: "SEALED_CARD_UNOPENED", is_open: true }]);
  expect(await resolve(chargeId)).toBe("pending");
  expect(await alertsOf(chargeId)).toHaveLength(1);
  expect(await effectsOf(tripe, chargeId)).toEqual([]);

  await writeKeyRing(file, kept);
  await restartBank();
  expect(await resolve(chargeId)).toBe("succeeded");
  expect(await alertsOf(chargeId)).toEqual([{ reason: "SEALED_CARD_UNOPENED", is_open: false }]);
  expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
});
