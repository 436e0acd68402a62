import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { onTestFinished } from "vitest";
import { BillingReason } from "../../../gen/tripe/billing/v1/billing_reason_pb.ts";
import { CollectionMethod, type InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { IntervalUnit, type Price, PriceSchema } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { type SubscriptionSchema, SubscriptionState } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import type { Sweep } from "../../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { periodOf } from "../../_billing/periods.ts";
import { createClient } from "../../_database/connect-client.ts";
import type { ClientsOf } from "../../_runtime/clients.ts";
import { createTestClock, systemClock } from "../../_runtime/clock.ts";
import { createId } from "../../_runtime/ids.ts";
import { createMemoryLog } from "../../_runtime/testing/memory-log.ts";
import type { TestTripe } from "../../testing.ts";
import type { SchedulerClients } from "../clients.ts";
import { createScheduler, type SchedulerDependencies } from "../service.ts";
import { operatorOf } from "./scheduler.ts";

/** The sandbox's card that always works. */
export const GOOD_CARD = "4242424242424242";

/** The sandbox's card that can be attached and is declined at every charge. */
export const DECLINED_CARD = "4000000000000341";

/** What of a Tripe, in this process or in processes of its own, billing is set up on. */
export interface BilledTripe {
  readonly accountId: string;
  readonly database: { readonly urls: { readonly owner: string } };
  clientsOf(caller: "edge"): ClientsOf<"edge">;
}

/** Makes subscriptions and looks at what became of them, on a whole Tripe. */
export async function setupBilling(tripe: BilledTripe) {
  const { accountId } = tripe;
  const edge = tripe.clientsOf("edge");
  const key = () => ({ accountId, requestId: createId("req_"), requestDigest: new Uint8Array([1]) });
  const database = createClient({ url: tripe.database.urls.owner, name: "tripe_test" });
  await database.connect();

  const createCustomer = async (number = GOOD_CARD, email = "ann@example.com") => {
    const [paymentMethodId, tokenId, customerId] = [createId("card_"), createId("tok_"), createId("cus_")];
    const card = { number, expMonth: 12, expYear: 2040, cvc: "" };
    const sealed = await edge.bank.sealCard({ accountId, paymentMethodId, card });
    const paymentMethod = { paymentMethodId, ...(sealed.card && { card: sealed.card }) };
    const token = { tokenId, paymentMethod };
    await edge.writer.createToken({ ...key(), token, sealedCard: sealed.sealedCard });
    // Numbers are unique with their prefix, which the edge makes of the customer's id.
    const customer = { customerId, invoicePrefix: customerId.slice(-8).toUpperCase(), email, name: "Ann" };
    await edge.writer.createCustomer({ ...key(), customer, tokenId });
    return customerId;
  };

  const price = create(PriceSchema, {
    priceId: createId("price_"),
    unitAmount: { amountMinor: 1_000n, currencyCode: "USD" },
    recurrence: { unit: IntervalUnit.MONTH, count: 1 },
    isActive: true,
  });
  await edge.writer.createPrice({
    ...key(),
    price,
    product: { productId: createId("prod_"), name: "Gold", isActive: true },
  });

  const createSubscription = async (options: SubscriptionOptions) => {
    const request = subscriptionRequest(price, options);
    await edge.writer.createSubscription({ ...key(), ...request });
    return request.subscription.subscriptionId;
  };

  const read = async <Row>(text: string, ...values: unknown[]) => (await database.query(text, values)).rows as Row[];

  return {
    ...{ accountId, edge, key, read, createCustomer, createSubscription, price },
    close: () => database.end(),
    subscription: async (subscriptionId: string) => {
      const { subscription } = await edge.reader.getSubscription({ accountId, subscriptionId });
      if (subscription === undefined) throw new Error("the subscription is there");
      return subscription;
    },
    /** The invoices of a subscription, the first period first, without its first invoice of nothing. */
    invoices: async (subscriptionId: string, state?: InvoiceState) => {
      const asked = { accountId, subscriptionId, pageSize: 100, ...(state !== undefined && { state }) };
      const { invoices } = await edge.reader.listInvoices(asked);
      return invoices.filter((invoice) => invoice.lines.length > 0).toSorted((a, b) => a.periodIndex - b.periodIndex);
    },
  };
}

/** What a subscription is made of, beside the defaults. */
interface SubscriptionOptions {
  readonly customerId: string;
  readonly anchor: Date;
  readonly change?: MessageInitShape<typeof SubscriptionSchema>;
}

/** Writes one whose first period started at the anchor, of two units, with a first invoice of nothing for that period. */
function subscriptionRequest(price: Price, { customerId, anchor, change }: SubscriptionOptions) {
  const subscriptionId = createId("sub_");
  const subscriptionItemId = createId("si_");
  const { start, end } = periodOf(anchor, { unit: "month", count: 1 }, 0);
  const period = { periodStartTime: timestampFromDate(start), periodEndTime: timestampFromDate(end) };
  const collectionMethod = CollectionMethod.CHARGE_AUTOMATICALLY;
  const common = { customerId, currencyCode: "USD", collectionMethod, ...period };
  return {
    subscription: {
      subscriptionId,
      state: SubscriptionState.ACTIVE,
      items: [{ subscriptionItemId, price, quantity: 2n }],
      anchorTime: timestampFromDate(start),
      ...common,
      ...change,
    },
    invoice: {
      ...common,
      invoiceId: createId("in_"),
      subscriptionId,
      billingReason: BillingReason.SUBSCRIPTION_CREATE,
      ...(change?.periodIndex !== undefined && { periodIndex: change.periodIndex }),
      ...(change?.periodStartTime && { periodStartTime: change.periodStartTime }),
      ...(change?.periodEndTime && { periodEndTime: change.periodEndTime }),
      lines: [],
    },
  };
}

/** How a test's scheduler differs from an ordinary one. */
export interface TestSchedulerOptions extends Pick<SchedulerDependencies, "delivering" | "mailing"> {
  readonly ticks?: boolean;
  /** Clients to use instead of the Tripe's own. */
  readonly clients?: Partial<SchedulerClients>;
}

/**
 * Starts a scheduler on a whole Tripe. By default its sweeps' timers stand still, so that it sweeps when told; with `ticks` it
 * sweeps by itself. What it has taken up it finishes by the machine's clock.
 */
export function startTestScheduler(
  tripe: TestTripe,
  { ticks = false, delivering = {}, mailing = {}, clients = {} }: TestSchedulerOptions = {},
) {
  const log = createMemoryLog();
  const clock = ticks ? systemClock : createTestClock();
  const scheduler = createScheduler({
    clients: { ...tripe.clientsOf("scheduler"), ...clients },
    clock,
    log,
    delivering: { clock: systemClock, ...delivering },
    mailing: { clock: systemClock, ...mailing },
  });
  let isClosed = false;
  const stop = async () => {
    if (isClosed) return;
    isClosed = true;
    await scheduler.close();
  };
  onTestFinished(stop);
  const client = operatorOf(scheduler, systemClock);
  return { log, stop, client, run: (sweep: Sweep) => client.runSweep({ sweep }) };
}
