import type { Client } from "@connectrpc/connect";
import { ApiKeyKind } from "../../gen/tripe/billing/v1/account_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { MailOutcome } from "../../gen/tripe/writer/v1/mails_pb.ts";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { createId } from "../_runtime/ids.ts";
import type { TestWriter } from "./testing.ts";

/** A writer that remembers what each of its calls told; one call at a time. */
export interface ToldWriter {
  readonly writer: Client<typeof WriterService>;
  /** What each rpc has told so far, each set of types once: "charge.refunded, refund.created"; empty for nothing. */
  readonly told: Map<string, Set<string>>;
}

/** Wraps a writer so that the events of each call are known by its rpc. */
export function rememberTold(writer: Client<typeof WriterService>, rows: TestWriter["rows"]): ToldWriter {
  const told = new Map<string, Set<string>>();
  const known = new Set<string>();
  const remember = async (rpc: string) => {
    const all = await rows<{ event_id: string; type: string }>("select event_id, type from event order by type");
    const fresh = all.filter(({ event_id: id }) => !known.has(id));
    for (const { event_id: id } of fresh) known.add(id);
    const sets = told.get(rpc) ?? new Set();
    told.set(rpc, sets.add(fresh.map(({ type }) => type).join(", ")));
  };
  const get = (target: object, rpc: string, receiver: unknown): unknown => {
    const call: unknown = Reflect.get(target, rpc, receiver);
    if (typeof call !== "function") return call;
    return async (...given: unknown[]) => {
      const answer: unknown = await call.apply(target, given);
      await remember(rpc);
      return answer;
    };
  };
  return { writer: new Proxy(writer, { get: (target, rpc, receiver) => get(target, String(rpc), receiver) }), told };
}

/** Calls each rpc that never makes an event: those of misuse, mails, verifications, accounts and API keys. */
export async function liveThroughSilentRpcs(
  writer: Client<typeof WriterService>,
  { accountId, rows }: Pick<TestWriter, "accountId" | "rows">,
): Promise<void> {
  await liveThroughAlerts(writer, rows);
  await writer.reportBrowserKey({ accountId, apiKeyId: "key_none" });
  await writer.leaseMails({ limit: 1, accountMax: 1 });
  await writer.recordMails({ tries: [{ accountId, mailId: "mail_none", tries: 1, outcome: MailOutcome.DEAD }] });
  await writer.redriveMails({ limit: 1 });
  await liveThroughVerifications(writer, accountId);
  await liveThroughKeys(writer);
}

async function liveThroughVerifications(writer: Client<typeof WriterService>, accountId: string): Promise<void> {
  const key = { accountId, paymentMethodId: "pm_none" };
  await writer.beginVerification(key);
  await writer.settleVerification({ ...key, cvcCheck: CheckResult.PASS });
  await writer.eraseSealedCvcs({});
}

async function liveThroughKeys(writer: Client<typeof WriterService>): Promise<void> {
  const account = { accountId: createId("acct_"), name: "K", defaultCurrencyCode: "USD" };
  await writer.createAccount({ account });
  await writer.updateAccount({ account: { ...account, name: "L" }, updateMask: { paths: ["name"] } });
  const apiKey = { apiKeyId: createId("key_"), kind: ApiKeyKind.SECRET };
  const { accountId: ofKey } = account;
  await writer.createApiKey({ accountId: ofKey, apiKey, keySha256: new Uint8Array(32).fill(1) });
  const next = { newApiKeyId: createId("key_"), newKeySha256: new Uint8Array(32).fill(2) };
  await writer.rollApiKey({ accountId: ofKey, apiKeyId: apiKey.apiKeyId, ...next });
  await writer.revokeApiKey({ accountId: ofKey, apiKeyId: apiKey.apiKeyId });
}

/** Closes an alert that was raised before, and has the database checked. */
async function liveThroughAlerts(writer: Client<typeof WriterService>, rows: TestWriter["rows"]): Promise<void> {
  const text = "select account_id, alert_id from alert limit 1";
  const [alert] = await rows<{ account_id: string; alert_id: string }>(text);
  await writer.resolveAlert({ accountId: alert?.account_id ?? "", alertId: alert?.alert_id ?? "" });
  await writer.checkDatabase({});
}
