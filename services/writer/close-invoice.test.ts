import { expect, test } from "vitest";
import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, setup: steps, rows } = await startTestWriter();

function setup() {
  const { writer, createPayer } = steps();
  const billing = createBillingSteps(writer, accountId);
  const { key } = billing;
  const acts = {
    finalize: (invoiceId: string) => writer.finalizeInvoice({ ...key(), invoiceId }),
    pay: (invoiceId: string) => writer.payInvoiceOutOfBand({ ...key(), invoiceId }),
    send: (invoiceId: string) => writer.beginSending({ ...key(), invoiceId, sendingId: createId("snd_") }),
    void: (invoiceId: string) => writer.voidInvoice({ ...key(), invoiceId }),
    giveUp: (invoiceId: string) => writer.markInvoiceUncollectible({ ...key(), invoiceId }),
    delete: (invoiceId: string) => writer.deleteInvoice({ ...key(), invoiceId }),
  };
  return { writer, createPayer, ...billing, acts };
}

type Act = keyof ReturnType<typeof setup>["acts"];
const words = ["draft", "open", "paid", "uncollectible", "void"] as const;

/** The table of 4-billing.md: what each act makes of an invoice in each state, or why not. */
const table: Record<(typeof words)[number], Record<Act, string>> = {
  draft: {
    finalize: "open",
    pay: "INVOICE_NOT_OPEN",
    send: "INVOICE_NOT_FINALIZED",
    void: "INVOICE_NOT_OPEN",
    giveUp: "INVOICE_NOT_OPEN",
    delete: "gone",
  },
  open: {
    finalize: "INVOICE_NOT_DRAFT",
    pay: "paid",
    send: "open",
    void: "void",
    giveUp: "uncollectible",
    delete: "INVOICE_NOT_EDITABLE",
  },
  paid: {
    finalize: "INVOICE_NOT_DRAFT",
    pay: "INVOICE_ALREADY_PAID",
    send: "paid",
    void: "INVOICE_ALREADY_PAID",
    giveUp: "INVOICE_ALREADY_PAID",
    delete: "INVOICE_NOT_EDITABLE",
  },
  uncollectible: {
    finalize: "INVOICE_NOT_DRAFT",
    pay: "paid",
    send: "uncollectible",
    void: "void",
    giveUp: "INVOICE_NOT_OPEN",
    delete: "INVOICE_NOT_EDITABLE",
  },
  void: {
    finalize: "INVOICE_NOT_DRAFT",
    pay: "INVOICE_NOT_OPEN",
    send: "INVOICE_NOT_FINALIZED",
    void: "INVOICE_NOT_OPEN",
    giveUp: "INVOICE_NOT_OPEN",
    delete: "INVOICE_NOT_EDITABLE",
  },
};

test.each(words)("each act on an invoice that is %s does what the table of states says", async (state) => {
  const { createCustomer, createDraft, acts } = setup();
  const customerId = await createCustomer();
  const reach: Record<string, Act[]> = {
    draft: [],
    open: ["finalize"],
    paid: ["finalize", "pay"],
    uncollectible: ["finalize", "giveUp"],
    void: ["finalize", "void"],
  };
  const became: Record<string, string> = {};
  for (const act of Object.keys(table[state]) as Act[]) {
    const { invoiceId } = await createDraft(customerId);
    for (const step of reach[state] ?? []) await acts[step](invoiceId);
    const reason = (await refusal(acts[act](invoiceId)))?.reason;
    const [row] = await rows<{ state: string }>("select state from invoice where invoice_id = $1", invoiceId);
    became[act] = reason ?? row?.state ?? "gone";
  }
  expect(became).toEqual(table[state]);
});

test("an invoice paid out of band is paid wholly, with a payment and no charge, and once", async () => {
  const { writer, key, createCustomer, createOpen } = setup();
  const { invoiceId } = await createOpen(await createCustomer());
  const request = { ...key(), invoiceId };
  const { invoice } = await writer.payInvoiceOutOfBand(request);
  expect(invoice).toMatchObject({ state: InvoiceState.PAID, isPaidOutOfBand: true, paidMinor: 2500n, chargeId: "" });
  expect((await writer.payInvoiceOutOfBand(request)).isReplayed).toBe(true);
  const payments = "select charge_id, amount_minor, state from invoice_payment where invoice_id = $1";
  expect(await rows(payments, invoiceId)).toEqual([{ charge_id: null, amount_minor: 2500n, state: "paid" }]);
});

test("a void invoice keeps its number", async () => {
  const { writer, key, createCustomer, createOpen } = setup();
  const { invoiceId, number } = await createOpen(await createCustomer());
  const { invoice } = await writer.voidInvoice({ ...key(), invoiceId });
  expect(invoice).toMatchObject({ state: InvoiceState.VOID, number, voidTime: {} });
});

test("nothing closes an invoice while its payment is under way", async () => {
  const { writer, createPayer, createOpen, acts } = setup();
  const { invoiceId } = await createOpen((await createPayer()).customerId);
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
  await writer.beginCollection({ accountId, requestId: createId("req_"), invoiceId, ...ids });
  for (const act of ["pay", "void", "giveUp"] as const) {
    expect((await refusal(acts[act](invoiceId)))?.reason).toBe("INVOICE_PAYMENT_PENDING");
  }
});

test("an invoice voided and paid at once becomes one of them", async () => {
  const { createCustomer, createOpen, acts } = setup();
  const customerId = await createCustomer();
  for (let round = 0; round < 3; round += 1) {
    const { invoiceId } = await createOpen(customerId);
    await Promise.allSettled([acts.void(invoiceId), acts.pay(invoiceId)]);
    const told = "select type from event where object_id = $1 and type in ('invoice.voided', 'invoice.paid')";
    expect(await rows(told, invoiceId)).toHaveLength(1);
  }
});
