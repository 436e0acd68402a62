import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { refusal, startTestReader } from "./testing.ts";
import { CREATE_TIME } from "./testing-rows.ts";

const { reader, accountId, liveAccountId, rowsOf, sql } = await startTestReader();

const at = (seconds: number) => new Date(CREATE_TIME.getTime() + seconds * 1_000);

/** Charges of a customer of their own, oldest first; a second apart, or all in one millisecond. */
async function setup(count: number, { isSameTime = false, of = accountId } = {}) {
  const rows = rowsOf(of);
  const customerId = await rows.customer();
  const paymentMethodId = await rows.paymentMethod({ customerId });
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const createTime = isSameTime ? CREATE_TIME : at(index);
    ids.push((await rows.charge(paymentMethodId, { customerId, createTime })).chargeId);
  }
  return { customerId, paymentMethodId, ids, newestFirst: ids.toReversed() };
}

const list = async (request: Parameters<typeof reader.listCharges>[0]) => {
  const { charges, nextPageToken } = await reader.listCharges(request);
  return { ids: charges.map(({ chargeId }) => chargeId), nextPageToken };
};

test("a list is newest first, ten to a page unless told otherwise", async () => {
  const { customerId, newestFirst } = await setup(12);
  const { ids, nextPageToken } = await list({ accountId, customerId });
  expect(ids).toEqual(newestFirst.slice(0, 10));
  expect(nextPageToken).toBe(newestFirst[9]);
  expect(await list({ accountId, customerId, pageSize: 100 })).toEqual({ ids: newestFirst, nextPageToken: "" });
});

test("a page says that there is more exactly when there is", async () => {
  const { customerId } = await setup(5);
  const hasMore = async (pageSize: number) => (await list({ accountId, customerId, pageSize })).nextPageToken !== "";
  expect(await Promise.all([1, 4, 5, 6].map(hasMore))).toEqual([true, true, false, false]);
});

test("forward and backward, a cursor leaves itself out, and the end has nothing after it", async () => {
  const { customerId, newestFirst } = await setup(6);
  const page = (pageToken = "", isBackward = false) =>
    list({ accountId, customerId, pageSize: 2, pageToken, isBackward });
  expect(await page(newestFirst[1])).toEqual({ ids: newestFirst.slice(2, 4), nextPageToken: newestFirst[3] });
  expect(await page(newestFirst[3])).toEqual({ ids: newestFirst.slice(4), nextPageToken: "" });
  expect(await page(newestFirst[5])).toEqual({ ids: [], nextPageToken: "" });
  expect(await page(newestFirst[4], true)).toEqual({ ids: newestFirst.slice(2, 4), nextPageToken: newestFirst[2] });
  expect(await page(newestFirst[2], true)).toEqual({ ids: newestFirst.slice(0, 2), nextPageToken: "" });
  expect(await page(newestFirst[0], true)).toEqual({ ids: [], nextPageToken: "" });
  expect(await page("", true)).toEqual({ ids: newestFirst.slice(4), nextPageToken: newestFirst[4] });
});

test("pages of any size, in either direction, give each row once and in order, created in one millisecond or not", async () => {
  const made = [await setup(17), await setup(17, { isSameTime: true })];
  const cases = fc.record({ set: fc.nat(1), pageSize: fc.integer({ min: 1, max: 20 }), isBackward: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(cases, async ({ set, pageSize, isBackward }) => {
      const { customerId, newestFirst } = made[set] ?? { customerId: "", newestFirst: [] };
      const seen: string[] = [];
      let pageToken = "";
      do {
        const page = await list({ accountId, customerId, pageSize, pageToken, isBackward });
        if (isBackward) seen.unshift(...page.ids);
        else seen.push(...page.ids);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(seen).toEqual(newestFirst);
    }),
    { numRuns: 40 },
  );
});

test("a cursor of another account, or of nobody, is refused, in a range too, and one that the filters leave out is not", async () => {
  const { customerId, newestFirst } = await setup(3);
  const [theirs = ""] = (await setup(1, { of: liveAccountId })).ids;
  const createTimeRange = { startTime: timestampFromDate(at(0)) };
  for (const pageToken of [theirs, "ch_zzz", "aa"]) {
    for (const isBackward of [false, true]) {
      const asked = { accountId, customerId, pageToken, isBackward };
      expect((await refusal(list(asked)))?.reason).toBe("CHARGE_NOT_FOUND");
      expect((await refusal(list({ ...asked, createTimeRange })))?.reason).toBe("CHARGE_NOT_FOUND");
    }
  }
  const [later = ""] = (await setup(1)).ids;
  expect((await list({ accountId, customerId, pageToken: later })).ids).toEqual(newestFirst);
});

test("a range of creation holds its start and leaves its end out", async () => {
  const { customerId, newestFirst } = await setup(5);
  const range = (start?: number, end?: number) =>
    list({
      accountId,
      customerId,
      createTimeRange: {
        ...(start !== undefined && { startTime: timestampFromDate(at(start)) }),
        ...(end !== undefined && { endTime: timestampFromDate(at(end)) }),
      },
    });
  expect((await range(1, 3)).ids).toEqual(newestFirst.slice(2, 4));
  expect((await range(3)).ids).toEqual(newestFirst.slice(0, 2));
  expect((await range(undefined, 1)).ids).toEqual(newestFirst.slice(4));
  expect((await range(7)).ids).toEqual([]);
});

test("pages within a range follow the time of creation, and give each row once in either direction", async () => {
  const rows = rowsOf();
  const customerId = await rows.customer();
  const paymentMethodId = await rows.paymentMethod({ customerId });
  const made: { id: string; second: number }[] = [];
  // Customers on a test clock are charged at times that their ids know nothing of; some share a moment.
  for (const second of [5, 1, 3, 3, 2, 9, 3, 0]) {
    made.push({ id: (await rows.charge(paymentMethodId, { customerId, createTime: at(second) })).chargeId, second });
  }
  const within = made.filter(({ second }) => second >= 1 && second < 9);
  const expected = within.sort((a, b) => b.second - a.second || (a.id < b.id ? 1 : -1)).map(({ id }) => id);
  const createTimeRange = { startTime: timestampFromDate(at(1)), endTime: timestampFromDate(at(9)) };
  for (const isBackward of [false, true]) {
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await list({ accountId, customerId, pageSize: 2, pageToken, isBackward, createTimeRange });
      if (isBackward) seen.unshift(...page.ids);
      else seen.push(...page.ids);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(expected);
  }
});

test("listCharges filters by customer and by transfer group, and another account's are not there", async () => {
  const { customerId, paymentMethodId, ids } = await setup(2);
  const group = await rowsOf().charge(paymentMethodId, { customerId, transferGroup: `g ${customerId}` });
  const theirs = await setup(1, { of: liveAccountId });
  expect((await list({ accountId, customerId })).ids).toEqual([group.chargeId, ...ids.toReversed()]);
  expect((await list({ accountId, transferGroup: `g ${customerId}` })).ids).toEqual([group.chargeId]);
  expect((await list({ accountId, customerId, transferGroup: "other" })).ids).toEqual([]);
  expect((await list({ accountId, customerId: theirs.customerId })).ids).toEqual([]);
  expect((await list({ accountId: liveAccountId })).ids).toContain(theirs.ids[0]);
  expect((await list({ accountId, pageSize: 100 })).ids).not.toContain(theirs.ids[0]);
});

test("listCustomers filters by email to the letter, and leaves deleted ones out", async () => {
  const rows = rowsOf();
  const email = "List@example.com";
  const [one, two, gone] = [
    await rows.customer({ email }),
    await rows.customer({ email }),
    await rows.customer({ email }),
  ];
  await sql("update customer set delete_time = statement_timestamp() where customer_id = $1", gone);
  const ids = async (wanted: string) =>
    (await reader.listCustomers({ accountId, email: wanted })).customers.map(({ customerId }) => customerId);
  expect(await ids(email)).toEqual([two, one]);
  expect(await ids("list@example.com")).toEqual([]);
  const all = await reader.listCustomers({ accountId, pageSize: 100 });
  expect(all.customers.map(({ customerId }) => customerId)).not.toContain(gone);
});

test("listPaymentMethods lists what is attached to one customer", async () => {
  const rows = rowsOf();
  const customerId = await rows.customer();
  const [one, two] = [await rows.paymentMethod({ customerId }), await rows.paymentMethod({ customerId })];
  await rows.paymentMethod({ customerId: await rows.customer() });
  const { paymentMethods } = await reader.listPaymentMethods({ accountId, customerId });
  expect(paymentMethods.map(({ paymentMethodId }) => paymentMethodId)).toEqual([two, one]);
  const theirs = await reader.listPaymentMethods({ accountId: liveAccountId, customerId });
  expect(theirs.paymentMethods).toEqual([]);
});

test("listPaymentMethods mixes pm_ and card_ by when they were made, page by page in either direction", async () => {
  const rows = rowsOf();
  const customerId = await rows.customer();
  const oldestFirst: string[] = [];
  for (const prefix of ["pm_", "card_", "card_", "pm_", "card_", "pm_", "pm_"] as const) {
    oldestFirst.push(await rows.paymentMethod({ customerId, prefix }));
  }
  for (const isBackward of [false, true]) {
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await reader.listPaymentMethods({ accountId, customerId, pageSize: 2, pageToken, isBackward });
      const ids = page.paymentMethods.map(({ paymentMethodId }) => paymentMethodId);
      if (isBackward) seen.unshift(...ids);
      else seen.push(...ids);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(oldestFirst.toReversed());
  }
});

test("listReturns lists the returns of one charge, or of all", async () => {
  const rows = rowsOf();
  const paymentMethodId = await rows.paymentMethod();
  const [charge, other] = [await rows.charge(paymentMethodId), await rows.charge(paymentMethodId)];
  const [one, two] = [(await rows.return(charge)).returnId, (await rows.return(charge)).returnId];
  const third = (await rows.return(other)).returnId;
  const ids = async (request: { chargeId?: string; pageSize?: number }) =>
    (await reader.listReturns({ accountId, ...request })).returns.map(({ returnId }) => returnId);
  expect(await ids({ chargeId: charge.chargeId })).toEqual([two, one]);
  expect(await ids({ pageSize: 3 })).toEqual([third, two, one]);
});
