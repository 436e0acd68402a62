import { expect, test } from "vitest";
import { startBench } from "./testing/tripe.ts";

// A bank that is lost in every way: what may have happened is pending, what cannot have happened is refused.
const bench = await startBench();
const charge = async (idempotencyKey?: string) => {
  const token = await bench.ask({
    method: "POST",
    url: "/v1/tokens",
    payload: { card: { number: "4242424242424242", exp_month: 12, exp_year: 2034 } },
  });
  return bench.ask({
    method: "POST",
    url: "/v1/charges",
    payload: { amount: 500, currency: "usd", source: token.body["id"] },
    ...(idempotencyKey === undefined ? {} : { headers: { "idempotency-key": idempotencyKey } }),
  });
};

test("an answer that cannot be read is a pending charge, which the client is told with 200", async () => {
  bench.failNext({ kind: "malformed", lateMs: 0 });
  const { status, body } = await charge();
  expect([status, body["status"], body["paid"], body["balance_transaction"]]).toEqual([200, "pending", false, null]);
});

test("a bank that nobody reaches is a failed charge, a 402 with processing_error", async () => {
  await bench.tripe.stopBank();
  const { status, body } = await charge();
  expect([status, body.error?.["code"]]).toEqual([402, "processing_error"]);
  const kept = await bench.ask({ method: "GET", url: `/v1/charges/${String(body.error?.["charge"])}` });
  expect(kept.body).toMatchObject({ status: "failed", failure_code: "processing_error" });
});
