import { inspect } from "node:util";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { AttemptKind, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { AMOUNT, OWNER, refusal, setupService as setup } from "./testing/service.ts";

test("sealCard shows what may be shown, and seals the rest", async () => {
  const { seal } = await setup();
  const { card, sealedCard } = await seal("4242 4242 4242 4242", { expYear: 34 });
  expect(card).toMatchObject({
    brand: "visa",
    last4: "4242",
    expMonth: 12,
    expYear: 2034,
    funding: "credit",
    countryCode: "US",
    cvcCheck: CheckResult.UNCHECKED,
  });
  expect(card?.fingerprint).toMatch(/^[0-9A-Za-z]{16}$/);
  expect(sealedCard.length).toBe(56);
});

test.each([
  ["4000056655665556", "visa", "debit", "US"],
  ["5105105105105100", "mastercard", "prepaid", "US"],
  ["378282246310005", "amex", "credit", "US"],
  ["6011111111111117", "discover", "credit", "US"],
  ["4111111111111111", "visa", "credit", ""],
])("sealCard knows of %s that it is %s, %s, of '%s'", async (number, brand, funding, countryCode) => {
  const { card } = await (await setup()).seal(number);
  expect(card).toMatchObject({ brand, funding, countryCode });
});

test("sealCard with a CVC asks the bank: pass, fail without a decline, and declined, which is sealed all the same", async () => {
  const { seal, submit, statement } = await setup();
  const check = async (number: string) => {
    const { card, verificationDecline } = await seal(number, { cvc: "314" });
    return [card?.cvcCheck, verificationDecline?.reason, verificationDecline?.responseCode];
  };
  expect(await check("4242424242424242")).toEqual([CheckResult.PASS, undefined, undefined]);
  expect(await check("4000000000000101")).toEqual([CheckResult.FAIL, undefined, undefined]);
  expect(await check("4000000000000341")).toEqual([CheckResult.PASS, undefined, undefined]);
  expect(await check("4000000000000127")).toEqual([CheckResult.FAIL, "incorrect_cvc", "N7"]);
  expect(await check("4000000000009995")).toEqual([CheckResult.PASS, "insufficient_funds", "51"]);
  const { sealedCard } = await seal("4000000000009995", { cvc: "314" });
  expect(await submit("4000000000009995", { sealedCard })).toMatchObject({ kind: OutcomeKind.DECLINED });
  expect(await statement()).toEqual([]);
});

test("sealCard seals also when the bank cannot be asked: the check is unavailable", async () => {
  const { seal, failNext } = await setup();
  failNext({ kind: "malformed", lateMs: 0 });
  expect((await seal("4242424242424242", { cvc: "314" })).card?.cvcCheck).toBe(CheckResult.UNAVAILABLE);
});

test("sealCard refuses what is no card, and names the field", async () => {
  const { seal } = await setup();
  const invalid = (reason: string, field: string) => [Code.InvalidArgument, reason, field];
  expect(await refusal(seal("4242424242424241"))).toEqual(invalid("INCORRECT_NUMBER", "card.number"));
  expect(await refusal(seal("4242424242424242", { expMonth: 13 }))).toEqual(
    invalid("INVALID_EXPIRY_MONTH", "card.exp_month"),
  );
  expect(await refusal(seal("4242424242424242", { expYear: 2019 }))).toEqual(
    invalid("INVALID_EXPIRY_YEAR", "card.exp_year"),
  );
  expect(await refusal(seal("4242424242424242", { cvc: "31" }))).toEqual(invalid("INVALID_CVC", "card.cvc"));
});

test("sealCard judges expiry by the account's time when it is given", async () => {
  const { client } = await setup();
  const card = { number: "4242424242424242", expMonth: 12, expYear: 2034, cvc: "" };
  const businessTime = timestampFromDate(new Date("2035-01-01T00:00:00Z"));
  expect(await refusal(client.sealCard({ ...OWNER, card, businessTime }))).toEqual([
    Code.InvalidArgument,
    "INVALID_EXPIRY_YEAR",
    "card.exp_year",
  ]);
});

test("submit answers what the bank did, with its name and its references", async () => {
  const { submit, statement } = await setup();
  const outcome = await submit("4242424242424242");
  expect(outcome).toMatchObject({ kind: OutcomeKind.ACCEPTED, bank: "sandbox" });
  expect([outcome?.authorizationCode.length, outcome?.networkReference.length]).toEqual([6, 12]);
  expect((await statement()).map(({ bankRef, amountMinor }) => [bankRef, amountMinor])).toEqual([["buy_1", 2_000n]]);
});

test("submit answers a decline with its reason and code", async () => {
  const outcome = await (await setup()).submit("4000000000000002");
  expect(outcome).toMatchObject({
    kind: OutcomeKind.DECLINED,
    decline: { reason: "generic_decline", responseCode: "05" },
    bank: "sandbox",
  });
});

test("submit carries out every kind: hold, capture, reverse, refund", async () => {
  const { submit, statement } = await setup();
  const number = "4242424242424242";
  const kinds: [AttemptKind, string, string][] = [
    [AttemptKind.AUTHORIZE, "hold_1", ""],
    [AttemptKind.CAPTURE, "take_1", "hold_1"],
    [AttemptKind.REFUND, "back_1", "hold_1"],
    [AttemptKind.AUTHORIZE, "hold_2", ""],
    [AttemptKind.REVERSE, "undo_1", "hold_2"],
  ];
  for (const [kind, bankRef, originalBankRef] of kinds) {
    expect((await submit(number, { kind, bankRef, originalBankRef }))?.kind, bankRef).toBe(OutcomeKind.ACCEPTED);
  }
  expect((await statement()).map(({ bankRef, kind }) => [bankRef, kind])).toEqual([
    ["take_1", "capture"],
    ["back_1", "refund"],
  ]);
});

test("submit answers unknown when the answer is lost; the repeat and the inquiry find the truth", async () => {
  const { submit, inquire, failNext, statement, logged, repeats } = await setup();
  failNext({ kind: "malformed", lateMs: 0 });
  expect(await submit("4242424242424242")).toMatchObject({ kind: OutcomeKind.UNKNOWN, bank: "sandbox" });
  expect(JSON.stringify(logged)).toContain("unparsable");
  const found = await inquire("buy_1", "sandbox");
  expect(found).toMatchObject({ isKnown: true, outcome: { kind: OutcomeKind.ACCEPTED, bank: "sandbox" } });
  expect(await submit("4242424242424242", { tries: 1, bank: "sandbox" })).toEqual(found.outcome);
  expect(repeats).toEqual([false, true]);
  expect((await statement()).length).toBe(1);
});

test("submit logs the bank's address, and the code of an answer that decides nothing", async () => {
  const { submit, logged } = await setup();
  await submit("4242424242424242");
  expect(await submit("4242424242424242", { tries: 1, amount: { ...AMOUNT, amountMinor: 1n } })).toMatchObject({
    kind: OutcomeKind.UNKNOWN,
  });
  const line = { bank_ref: "buy_1", bank: "sandbox", address: "bank.example:1", outcome: "unknown" };
  expect(logged).toEqual([["bank's answer decides nothing", { ...line, reason: "undecided", response_code: "94" }]]);
});

test("submit answers not_sent when no bank listens", async () => {
  const { submit, sandbox } = await setup();
  await sandbox.close();
  // Until the end of the line is heard a request may still leave on it, and is unknown then.
  await expect
    .poll(() => submit("4242424242424242", {}, 300), { timeout: 10_000 })
    .toMatchObject({ kind: OutcomeKind.NOT_SENT });
});

test("submit refuses, before anything is sent, what cannot be meant", async () => {
  const { submit, statement } = await setup();
  const number = "4242424242424242";
  const refused = async (change: Parameters<typeof submit>[1]) => (await refusal(submit(number, change)))[1];
  expect(await refused({ kind: AttemptKind.UNSPECIFIED })).toBe("KIND_UNSPECIFIED");
  expect(await refused({ amount: { ...AMOUNT, amountMinor: 0n } })).toBe("AMOUNT_NOT_POSITIVE");
  for (const kind of [AttemptKind.CAPTURE, AttemptKind.REVERSE, AttemptKind.REFUND]) {
    expect(await refused({ kind })).toBe("ORIGINAL_BANK_REF_MISSING");
  }
  expect(await refused({ bank: "elsewhere" })).toBe("BANK_UNKNOWN");
  expect(await statement()).toEqual([]);
});

test("submit holds a card that does not open against Tripe, not against the charge", async () => {
  const { submit, statement } = await setup();
  const unopened = [Code.Internal, "SEALED_CARD_UNOPENED", ""];
  const refused = async (change: Parameters<typeof submit>[1]) => refusal(submit("4242424242424242", change));
  expect(await refused({ sealedCard: new Uint8Array(56) })).toEqual(unopened);
  expect(await refused({ sealedCard: new Uint8Array(3) })).toEqual(unopened);
  expect(await refused({ accountId: "acct_2" })).toEqual(unopened);
  expect(await statement()).toEqual([]);
});

test("inquire says of a reference that it is not known, and never so when the bank cannot be asked", async () => {
  const { inquire, sandbox, failNext } = await setup();
  expect(await inquire("nobody")).toMatchObject({ isKnown: false });
  expect((await inquire("nobody")).outcome).toBe(undefined);
  expect((await refusal(inquire("nobody", "elsewhere")))[1]).toBe("BANK_UNKNOWN");
  failNext({ kind: "reset", lateMs: 0 });
  expect(await inquire("nobody")).toMatchObject({ isKnown: true, outcome: { kind: OutcomeKind.UNKNOWN } });
  await sandbox.close();
  expect(await inquire("nobody", "", 300)).toMatchObject({ isKnown: true, outcome: { kind: OutcomeKind.UNKNOWN } });
});

test("inquire says what the bank can do, whether it knows the reference, does not, or cannot be asked", async () => {
  const { submit, inquire, sandbox } = await setup();
  await submit("4242424242424242");
  const known = await inquire("buy_1", "sandbox");
  const unknown = await inquire("nobody");
  await sandbox.close();
  const silent = await inquire("buy_1", "sandbox", 300);
  expect([known.isKnown, unknown.isKnown, silent.outcome?.kind]).toEqual([true, false, OutcomeKind.UNKNOWN]);
  for (const { capabilities } of [known, unknown, silent]) {
    expect(capabilities).toMatchObject({
      idempotentSubmit: true,
      inquiry: true,
      reversal: true,
      lateWindowMs: 120_000n,
    });
  }
});

test("no card number and no CVC is in any answer, refusal or log line", async () => {
  const { seal, submit, failNext, logged } = await setup();
  const number = "4000000000000127";
  const said: unknown[] = [logged, await seal(number), await submit(number)];
  failNext({ kind: "echo", lateMs: 0 });
  said.push(await submit(number, { bankRef: "buy_2" }));
  for (const [typed, cvc] of [
    [number, "9731"],
    [number, "973"],
    [`${number}1`, ""],
  ] as const) {
    said.push(await seal(typed, { cvc }).catch((error: unknown) => [String(error), inspect(error, { depth: 9 })]));
  }
  const text = inspect(said, { depth: 12 });
  expect(text).toContain("mismatch");
  expect(text).toContain("incorrect_cvc");
  expect(text).not.toMatch(/4000000000000127|973[^0-9]/);
});

test("getStatus tells for how long each bank has been away, and nothing of one that is there", async () => {
  const { client, connector, sandbox } = await setup();
  await expect.poll(() => connector.awayMs()).toBe(0);
  expect((await client.getStatus({})).banks).toMatchObject([{ bank: "sandbox" }]);
  expect((await client.getStatus({})).banks[0]?.awayDuration).toBeUndefined();
  await sandbox.close();
  await expect.poll(async () => (await client.getStatus({})).banks[0]?.awayDuration).toBeDefined();
});
