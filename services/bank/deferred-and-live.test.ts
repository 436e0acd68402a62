import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { AttemptKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { OWNER, refusal, setupService as setup } from "./testing/service.ts";

test("verifyCard asks the bank at a card's first use what a deferred sealCard did not; only its owner's CVC opens", async () => {
  const { client } = await setup();
  const sealOne = (number: string) =>
    client.sealCard({
      ...OWNER,
      card: { number, expMonth: 12, expYear: 2034, cvc: "314" },
      isVerificationDeferred: true,
    });
  for (const [number, check, reason] of [
    ["4242424242424242", CheckResult.PASS, undefined],
    ["4000000000000101", CheckResult.FAIL, undefined],
    ["4000000000000127", CheckResult.FAIL, "incorrect_cvc"],
  ] as const) {
    const { card, sealedCard, sealedCvc, verificationDecline } = await sealOne(number);
    expect([card?.cvcCheck, verificationDecline]).toEqual([CheckResult.UNCHECKED, undefined]);
    const verified = await client.verifyCard({ ...OWNER, sealedCard, sealedCvc });
    expect([verified.cvcCheck, verified.verificationDecline?.reason]).toEqual([check, reason]);
  }
  const [one, other] = [await sealOne("4242424242424242"), await sealOne("4242424242424242")];
  expect(one.sealedCvc).not.toEqual(other.sealedCvc);
  const wrong = [
    { ...OWNER, paymentMethodId: "pm_other", ...one },
    { ...OWNER, sealedCard: one.sealedCard, sealedCvc: one.sealedCard },
    { ...OWNER, sealedCard: one.sealedCard, sealedCvc: new Uint8Array() },
  ];
  for (const { accountId, paymentMethodId, sealedCard, sealedCvc } of wrong) {
    const work = client.verifyCard({ accountId, paymentMethodId, sealedCard, sealedCvc });
    await expect(work).rejects.toMatchObject({ code: Code.Internal });
  }
});

test("what a live account asks for is refused while live accounts have no bank", async () => {
  const { client, seal } = await setup();
  const { sealedCard } = await seal("4242424242424242");
  const acceptor = { isLive: true };
  const card = { number: "4242424242424242", expMonth: 12, expYear: 2034, cvc: "314" };
  const amount = { amountMinor: 500n, currencyCode: "USD" };
  const works = [
    client.sealCard({ ...OWNER, card, acceptor }),
    client.verifyCard({ ...OWNER, sealedCard, acceptor }),
    client.submit({ ...OWNER, sealedCard, acceptor, amount, kind: AttemptKind.PURCHASE, bankRef: "att_live" }),
    client.inquire({ accountId: OWNER.accountId, acceptor, amount, bankRef: "att_live" }),
  ];
  for (const work of works) expect((await refusal(work))?.slice(0, 2)).toEqual([Code.Unavailable, "LIVE_BANK_MISSING"]);
});
