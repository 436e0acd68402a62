import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { BankService, type SubmitRequestSchema } from "../../../gen/tripe/bank/v1/bank_service_pb.ts";
import { AttemptKind } from "../../../gen/tripe/billing/v1/attempt_pb.ts";
import { createTestClock } from "../../_runtime/clock.ts";
import { refusalOf } from "../../_runtime/errors.ts";
import { fixedKeys } from "../../_runtime/key-files.ts";
import { type Log, silentLog } from "../../_runtime/log.ts";
import type { Connector } from "../connector.ts";
import { createRouter } from "../router.ts";
import { createBank } from "../service.ts";
import { createVault } from "../vault.ts";
import { startSandbox } from "./sandbox.ts";

/** Whose cards are sealed. */
export const OWNER = { accountId: "acct_1", paymentMethodId: "pm_1" };
/** What is charged. */
export const AMOUNT = { amountMinor: 2_000n, currencyCode: "USD" };

type SubmitChange = Omit<MessageInitShape<typeof SubmitRequestSchema>, "$typeName">;

/** Starts a bank service over a sandbox bank of its own, for one test. */
export async function setupService() {
  const bench = await startSandbox();
  const clock = createTestClock();
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, info: (...line) => logged.push(line), warn: (...line) => logged.push(line) };
  const vault = createVault(fixedKeys("card", Buffer.alloc(32, 7).toString("base64")));
  const repeats: boolean[] = [];
  const purchase: Connector["purchase"] = (request) => {
    repeats.push(request.isRepeat);
    return bench.connector.purchase(request);
  };
  const connector = { ...bench.connector, purchase };
  const router = createRouter({ banks: [{ name: "sandbox", address: "bank.example:1", connector, weight: 1 }], clock });
  const implementation = createBank({ router, vault, clock, log });
  const transport = createRouterTransport(({ service }) => service(BankService, implementation));
  const client = createClient(BankService, transport);
  const seal = (number: string, change: { cvc?: string; expMonth?: number; expYear?: number } = {}) =>
    client.sealCard({ ...OWNER, card: { number, expMonth: 12, expYear: 2034, cvc: "", ...change } });
  const submit = async (number: string, change: SubmitChange = {}, timeoutMs = 5_000) => {
    const { sealedCard } = await seal(number);
    const kind = AttemptKind.PURCHASE;
    const request = { ...OWNER, kind, bankRef: "buy_1", sealedCard, amount: AMOUNT, ...change };
    return (await client.submit(request, { timeoutMs })).outcome;
  };
  const inquire = (bankRef: string, bank = "", timeoutMs = 5_000) =>
    client.inquire({ accountId: "acct_1", bankRef, amount: AMOUNT, bank }, { timeoutMs });
  return { ...bench, logged, repeats, client, seal, submit, inquire };
}

/** The code, the reason and the field of a refusal. */
export async function refusal(call: Promise<unknown>) {
  const found = await call.then(
    () => undefined,
    (error: unknown) => refusalOf(error),
  );
  return [found?.code, found?.reason, found?.field];
}
