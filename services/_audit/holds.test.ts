import { afterAll, expect, onTestFinished, test } from "vitest";
import type { TestTripe } from "../testing.ts";
import { createSteps, selectRows } from "../transactions/testing.ts";
import { createWorld } from "./testing/world.ts";

/** Charges that were held first, one for each thing that becomes of a hold; 20.00 USD each. */
const ids = { held: "", captured: "", voided: "", expired: "" };

const { owner, audit, forget, readLines } = await createWorld(liveThroughHolds);
afterAll(() => owner.end());

async function liveThroughHolds(tripe: TestTripe): Promise<void> {
  const { accountId } = tripe;
  const { edge, key, createPayer, chargeRequest, charge } = createSteps(tripe);
  const payer = await createPayer();
  for (const name of ["held", "captured", "voided", "expired"] as const) {
    const request = chargeRequest(payer);
    ids[name] = (await charge({ ...request, charge: { ...request.charge, isHeld: true } })).charge.chargeId;
  }
  await edge.transactions.captureCharge({ ...key(), chargeId: ids.captured, amountMinor: 1_500n });
  await edge.transactions.createReturn({ ...key(), chargeId: ids.captured, amountMinor: 500n });
  await edge.transactions.createReturn({ ...key(), chargeId: ids.voided, amountMinor: 0n });
  await selectRows(
    tripe,
    "update charge set capture_before_time = create_time - interval '2 min' where charge_id = $1",
    ids.expired,
  );
  await tripe.clientsOf("scheduler").transactions.expireHolds({ limit: 10 });
  expect((await edge.reader.getCharge({ accountId, chargeId: ids.expired })).charge?.releaseTime).toBeDefined();
}

async function* read() {
  yield* await readLines();
}

test("books with holds that were captured, voided, let go and neither are clean", async () => {
  const lines = await readLines();
  expect(lines.slice(-2).map(({ kind, amountMinor }) => [kind, amountMinor])).toEqual([
    ["capture", 1_500n],
    ["refund", 500n],
  ]);
  expect(await audit(read())).toEqual([]);
});

const attemptOf = (chargeId: string, kind: string) => `charge_id = '${chargeId}' and kind = '${kind}'`;
const another = (chargeId: string, kind: string, change: string) => `drop index tripe.attempt_ending;
  insert into attempt select (jsonb_populate_record(t, '{"attempt_id":"att_x","bank_ref":"att_x","request_id":null,${change}}')).*
  from attempt t where ${attemptOf(chargeId, kind)}`;

/** What is planted, and the checks that must find it: these and no others. */
const faults: Record<string, [() => string, string[]]> = {
  "a capture that the charge knows nothing of": [
    () => `update charge set captured_minor = 0, ledger_transfer_id = null where charge_id = '${ids.captured}'`,
    ["charges-booked", "returns-within", "holds-end-once", "events-told", "bank-net"],
  ],
  "more captured than the capture took": [
    () => `update charge set captured_minor = 1600 where charge_id = '${ids.captured}'`,
    ["charges-booked", "holds-end-once", "bank-net"],
  ],
  "more captured than was held": [
    () => `update charge set amount_minor = 1400 where charge_id = '${ids.captured}'`,
    ["returns-within", "attempts-fit"],
  ],
  "a hold that was captured and let go": [
    () => another(ids.captured, "capture", '"kind":"reverse"'),
    ["holds-end-once"],
  ],
  "a hold let go that the charge knows nothing of": [
    () => `update charge set release_time = null where charge_id = '${ids.voided}'`,
    ["holds-end-once", "releases-whole"],
  ],
  "a hold let go by nobody": [
    () => `update charge set release_time = settle_time where charge_id = '${ids.held}'`,
    ["holds-end-once", "events-told"],
  ],
  "a capture of a charge that was never held": [
    () => `update charge set is_held = false where charge_id = '${ids.captured}'`,
    ["holds-end-once", "holds-booked", "events-told"],
  ],
  "a capture booked by the attempt that held": [
    () => `update ledger_transfer l set attempt_id = t.attempt_id from attempt t
      where l.charge_id = '${ids.captured}' and l.kind = 'charge' and t.charge_id = l.charge_id and t.kind = 'authorize'`,
    ["holds-booked", "bank-clearing"],
  ],
  "a hold kept beyond its time": [
    () => `update charge set capture_before_time = create_time - interval '2 min' where charge_id = '${ids.held}'`,
    ["holds-in-time"],
  ],
  "a void that was booked": [
    () => `update charge_return set is_release = false where charge_id = '${ids.voided}'`,
    ["returns-booked", "returns-within", "releases-whole", "events-told", "bank-net"],
  ],
  "a void of a part": [
    () => `update charge_return set amount_minor = 1999 where charge_id = '${ids.voided}';
      update attempt set amount_minor = 1999 where ${attemptOf(ids.voided, "reverse")}`,
    ["releases-whole"],
  ],
  "a capture that was not told": [() => `delete from event where type = 'charge.captured'`, ["events-told"]],
  "an expiry that was told twice": [
    () => `insert into event select account_id, 'evt_1', type, object_id, snapshot, '', '', create_time
      from event where type = 'charge.expired'`,
    ["events-told"],
  ],
  "a capture's key without its answer": [
    () => `update idempotency set answer = null, finish_time = null
      where request_id = (select request_id from attempt where ${attemptOf(ids.captured, "capture")})`,
    ["keys-agree"],
  ],
};

test.each(Object.entries(faults))("the audit finds %s", async (_sentence, [plant, names]) => {
  onTestFinished(forget);
  await owner.query(plant());
  expect((await audit(read())).map(({ name }) => name)).toEqual(names);
});

test("a line of a capture that the bank does not have is found", async () => {
  async function* cut() {
    yield* (await readLines()).filter(({ kind }) => kind !== "capture");
  }
  expect((await audit(cut())).map(({ name }) => name)).toEqual(["bank-bookings", "bank-clearing", "bank-net"]);
});
