import { expect, test } from "vitest";
import { CollectionMethod, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps, line } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, liveAccountId, setup: steps, rows } = await startTestWriter();

function setup() {
  const { writer } = steps();
  const billing = createBillingSteps(writer, accountId);
  const reasonOf = async (promise: Promise<unknown>) => (await refusal(promise))?.reason;
  return { writer, ...billing, theirs: createBillingSteps(writer, liveAccountId), reasonOf };
}

test("a draft is the sum of its lines, and is owed nothing when that is a credit", async () => {
  const { createCustomer, createDraft } = setup();
  const customerId = await createCustomer();
  const owed = await createDraft(customerId, [line(2500n), line(-500n), line(1n)]);
  expect(owed).toMatchObject({ state: InvoiceState.DRAFT, number: "", subtotalMinor: 2001n, totalMinor: 2001n });
  expect(owed.amountDue?.amountMinor).toBe(2001n);
  expect((await createDraft(customerId, [line(-1n)])).amountDue?.amountMinor).toBe(0n);
  expect((await createDraft(customerId, [])).totalMinor).toBe(0n);
});

test("a draft takes pending items, and gives them back when it is deleted", async () => {
  const { writer, key, createCustomer, createItem, createDraft } = setup();
  const customerId = await createCustomer();
  const { invoiceItemId } = await createItem(customerId, 700n);
  const { invoiceId, totalMinor } = await createDraft(customerId, [line(700n, { invoiceItemId })]);
  expect(totalMinor).toBe(700n);
  const taken = "select invoice_id from invoice_item where invoice_item_id = $1";
  expect(await rows(taken, invoiceItemId)).toEqual([{ invoice_id: invoiceId }]);
  await writer.deleteInvoice({ ...key(), invoiceId });
  expect(await rows(taken, invoiceItemId)).toEqual([{ invoice_id: null }]);
  expect(await rows("select 1 from invoice where invoice_id = $1", invoiceId)).toEqual([]);
});

test("an item goes onto one line, of its own amount, customer and currency", async () => {
  const { createCustomer, createItem, createDraft, reasonOf } = setup();
  const [customerId, otherId] = [await createCustomer(), await createCustomer()];
  const { invoiceItemId } = await createItem(customerId, 700n);
  const one = line(700n, { invoiceItemId });
  const refused = [
    reasonOf(createDraft(customerId, [one, one])),
    reasonOf(createDraft(customerId, [line(1n, { invoiceItemId })])),
    reasonOf(createDraft(otherId, [one])),
    reasonOf(createDraft(customerId, [one], { currencyCode: "EUR" })),
    reasonOf(createDraft(customerId, [line(700n, { invoiceItemId: "ii_none" })])),
  ];
  expect(new Set(await Promise.all(refused))).toEqual(new Set(["INVOICE_ITEM_TAKEN"]));
  expect((await createDraft(customerId, [one])).totalMinor).toBe(700n);
});

test("createInvoiceItem refuses a draft of another customer or currency for good", async () => {
  const { writer, key, createCustomer, createDraft, reasonOf } = setup();
  const [customerId, otherId] = [await createCustomer(), await createCustomer()];
  const { invoiceId } = await createDraft(customerId, []);
  const create = (change: { customerId?: string; currencyCode?: string }) => {
    const item = { customerId, invoiceId, currencyCode: "USD", amountMinor: 700n, quantity: 1n, ...change };
    return reasonOf(writer.createInvoiceItem({ ...key(), invoiceItem: { ...item, invoiceItemId: createId("ii_") } }));
  };
  expect(await create({ customerId: otherId })).toBe("INVOICE_OF_OTHER_CUSTOMER");
  expect(await create({ currencyCode: "EUR" })).toBe("INVOICE_OF_OTHER_CURRENCY");
  expect(await create({})).toBeUndefined();
});

test("of ten drafts that take one item at once, one gets it", async () => {
  const { createCustomer, createItem, createDraft, reasonOf } = setup();
  const customerId = await createCustomer();
  const { invoiceItemId } = await createItem(customerId, 700n);
  const lines = [line(700n, { invoiceItemId })];
  const reasons = await Promise.all(Array.from({ length: 10 }, () => reasonOf(createDraft(customerId, lines))));
  expect(reasons.filter((reason) => reason === "INVOICE_ITEM_TAKEN")).toHaveLength(9);
  expect(await rows("select 1 from invoice_line where invoice_item_id = $1", invoiceItemId)).toHaveLength(1);
});

test("an item made on a draft is a line of it, changes with it and goes with it", async () => {
  const { writer, key, createCustomer, createItem, createDraft } = setup();
  const customerId = await createCustomer();
  const { invoiceId } = await createDraft(customerId, [line(100n)]);
  const { invoiceItemId } = await createItem(customerId, 500n, invoiceId);
  const total = async () => {
    const [row] = await rows<{ total_minor: bigint }>(
      "select total_minor from invoice where invoice_id = $1",
      invoiceId,
    );
    return row?.total_minor;
  };
  expect(await total()).toBe(600n);
  const paths = ["amount_minor", "description"];
  const invoiceItem = { invoiceItemId, amountMinor: 900n, description: "More" };
  await writer.updateInvoiceItem({ ...key(), invoiceItem, updateMask: { paths } });
  expect(await total()).toBe(1000n);
  await writer.deleteInvoiceItem({ ...key(), invoiceItemId });
  expect(await total()).toBe(100n);
});

test("items and drafts changed, deleted and finalized at once neither deadlock nor lose a sum", async () => {
  const { writer, key, createCustomer, createItem, createDraft, finalize } = setup();
  const customerId = await createCustomer();
  const drafts = await Promise.all(Array.from({ length: 6 }, () => createDraft(customerId, [line(100n)])));
  const items = await Promise.all(drafts.map(({ invoiceId }) => createItem(customerId, 10n, invoiceId)));
  const updateMask = { paths: ["amount_minor"] };
  const change = (invoiceItemId: string) =>
    writer.updateInvoiceItem({ ...key(), invoiceItem: { invoiceItemId, amountMinor: 20n }, updateMask });
  const ended = await Promise.allSettled(
    drafts.flatMap(({ invoiceId }, n) => [
      change(items[n]?.invoiceItemId ?? ""),
      createItem(customerId, 1n, invoiceId),
      n % 2 === 0 ? finalize(invoiceId) : writer.deleteInvoice({ ...key(), invoiceId }),
    ]),
  );
  const refused = ended.filter((end) => end.status === "rejected").map((end) => refusal(Promise.reject(end.reason)));
  for (const one of await Promise.all(refused)) expect(one?.reason).toMatch(/^INVOICE_(NOT_EDITABLE|NOT_FOUND)$/);
  const wrong = `select invoice_id from invoice n where customer_id = $1 and total_minor <>
    (select sum(amount_minor) from invoice_line l where l.invoice_id = n.invoice_id)`;
  expect(await rows(wrong, customerId)).toEqual([]);
});

test("updateInvoice changes a draft, and of a finalized invoice only how it is collected", async () => {
  const { writer, key, createCustomer, createDraft, finalize, reasonOf } = setup();
  const { invoiceId } = await createDraft(await createCustomer());
  const update = (paths: string[]) =>
    writer.updateInvoice({
      ...key(),
      invoice: { invoiceId, currencyCode: "USD", footer: "Thanks", isAutoAdvancing: true },
      updateMask: { paths },
      metadataPatch: { set: { order: "1" } },
    });
  expect((await update(["footer"])).invoice).toMatchObject({ footer: "Thanks", revision: 3 });
  await finalize(invoiceId);
  expect(await reasonOf(update(["footer"]))).toBe("INVOICE_NOT_EDITABLE");
  const { invoice } = await update(["is_auto_advancing"]);
  expect(invoice).toMatchObject({ isAutoAdvancing: true, nextAttemptTime: {}, metadata: { order: "1" } });
  await writer.voidInvoice({ ...key(), invoiceId });
  expect((await update(["is_auto_advancing"])).invoice?.nextAttemptTime).toBeUndefined();
});

test("an invoice that is sent is never collected by itself", async () => {
  const { writer, key, createCustomer, createOpen } = setup();
  const change = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 7 };
  const { invoiceId } = await createOpen(await createCustomer(), [line()], change);
  const request = {
    ...key(),
    invoice: { invoiceId, currencyCode: "USD", isAutoAdvancing: true },
    updateMask: { paths: ["is_auto_advancing"] },
  };
  expect((await writer.updateInvoice(request)).invoice?.nextAttemptTime).toBeUndefined();
});

test("what is finalized is not edited: neither deleted nor given items, nor its items changed", async () => {
  const { writer, key, createCustomer, createItem, createDraft, finalize, reasonOf } = setup();
  const customerId = await createCustomer();
  const { invoiceItemId } = await createItem(customerId, 700n);
  const { invoiceId } = await createDraft(customerId, [line(700n, { invoiceItemId })]);
  await finalize(invoiceId);
  const refused = [
    reasonOf(writer.deleteInvoice({ ...key(), invoiceId })),
    reasonOf(createItem(customerId, 1n, invoiceId)),
    reasonOf(writer.updateInvoiceItem({ ...key(), invoiceItem: { invoiceItemId }, updateMask: { paths: [] } })),
    reasonOf(writer.deleteInvoiceItem({ ...key(), invoiceItemId })),
  ];
  expect(new Set(await Promise.all(refused))).toEqual(new Set(["INVOICE_NOT_EDITABLE"]));
});

test("another account's invoices, items and customers are not there", async () => {
  const { writer, key, createCustomer, createDraft, createItem, theirs, reasonOf } = setup();
  const customerId = await theirs.createCustomer();
  const { invoiceItemId } = await theirs.createItem(customerId);
  const { invoiceId } = await theirs.createDraft(customerId);
  const invoiceRpcs = [
    writer.deleteInvoice,
    writer.finalizeInvoice,
    writer.voidInvoice,
    writer.markInvoiceUncollectible,
    writer.payInvoiceOutOfBand,
  ];
  const reasons = await Promise.all([
    ...invoiceRpcs.map((rpc) => reasonOf(rpc({ ...key(), invoiceId }))),
    reasonOf(
      writer.updateInvoice({ ...key(), invoice: { invoiceId, currencyCode: "USD" }, updateMask: { paths: [] } }),
    ),
    reasonOf(writer.beginCollection({ ...key(), invoiceId, chargeId: "ch_1", attemptId: "att_1" })),
    reasonOf(writer.beginSending({ ...key(), invoiceId, sendingId: "snd_1" })),
    reasonOf(createItem(await createCustomer(), 1n, invoiceId)),
  ]);
  expect(new Set(reasons)).toEqual(new Set(["INVOICE_NOT_FOUND"]));
  expect(await reasonOf(writer.deleteInvoiceItem({ ...key(), invoiceItemId }))).toBe("INVOICE_ITEM_NOT_FOUND");
  expect(await reasonOf(createDraft(customerId))).toBe("CUSTOMER_NOT_FOUND");
});
