import { expect, test } from "vitest";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();
const stripe = await bench.stripe();

const typesOf = (events: readonly { type: string }[]) => events.map(({ type }) => type);

async function charge(amount = 2_000) {
  return stripe.charges.create({ amount, currency: "usd", source: "tok_visa" });
}

test("an event tells what an update changed, and an update that changes nothing tells nothing", async () => {
  const address = { line1: "1 Rue", city: "Paris", country: "FR" };
  const made = await stripe.customers.create({ email: "a@example.com", address, metadata: { kept: "1", old: "2" } });
  const change = { email: "b@example.com", metadata: { old: "", fresh: "3" } };
  await stripe.customers.update(made.id, change);
  await stripe.customers.update(made.id, { email: "b@example.com" });
  const { data } = await stripe.events.list({ type: "customer.*", limit: 2 });
  expect(typesOf(data)).toEqual(["customer.updated", "customer.created"]);
  const [event, first] = data;
  if (event?.type !== "customer.updated") throw new Error("an update was told last");
  expect(event.data.object).toEqual(JSON.parse(JSON.stringify(await stripe.customers.retrieve(made.id))));
  expect(event.data.previous_attributes).toEqual({
    email: "a@example.com",
    metadata: { old: "2", fresh: null },
  });
  expect(first?.data).not.toHaveProperty("previous_attributes");
  expect(event).toMatchObject({
    object: "event",
    api_version: "2026-10-28.endive",
    livemode: false,
    pending_webhooks: 0,
  });
  expect(event.request?.id).toMatch(/^req_/);
  expect(await stripe.events.retrieve(event.id)).toMatchObject({ id: event.id, data: event.data });
});

test("events are listed by type, by types and by groups, in pages both ways", async () => {
  const made = await charge();
  await stripe.refunds.create({ charge: made.id, amount: 500 });
  await expect(charge(1)).rejects.toMatchObject({ code: "amount_too_small" });
  await stripe.charges.update(made.id, { description: "d" });
  const ofCharge = (await stripe.events.list({ type: "charge.*" })).data;
  expect(typesOf(ofCharge)).toEqual(["charge.updated", "charge.refunded", "charge.succeeded"]);
  const types = ["refund.created", "charge.succeeded", "payout.paid"];
  expect(typesOf((await stripe.events.list({ types })).data)).toEqual(["refund.created", "charge.succeeded"]);
  expect((await stripe.events.list({ type: "payout.paid" })).data).toEqual([]);
  const groups = await stripe.events.list({ types: ["refund.*", "charge.updated"], limit: 1 });
  expect([typesOf(groups.data), groups.has_more]).toEqual([["charge.updated"], true]);
  const [newest = "", , oldest = ""] = ofCharge.map(({ id }) => id);
  const after = await stripe.events.list({ type: "charge.*", starting_after: newest, limit: 1 });
  expect([typesOf(after.data), after.has_more]).toEqual([["charge.refunded"], true]);
  const before = await stripe.events.list({ type: "charge.*", ending_before: oldest, limit: 1 });
  expect([typesOf(before.data), before.has_more]).toEqual([["charge.refunded"], true]);
});

test("walking all events, all types or one page at a time, meets each once", async () => {
  for (let index = 0; index < 3; index += 1) await stripe.products.create({ name: `P${index}` });
  const all = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
  const byOne = await stripe.events.list({ limit: 2 }).autoPagingToArray({ limit: 1_000 });
  const starred = await stripe.events.list({ type: "*", limit: 3 }).autoPagingToArray({ limit: 1_000 });
  const ids = all.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([byOne.map(({ id }) => id), starred.map(({ id }) => id)]).toEqual([ids, ids]);
  const ranged = await stripe.events.list({ created: { gte: 1 }, limit: 4 }).autoPagingToArray({ limit: 1_000 });
  expect(ranged.map(({ id }) => id).sort()).toEqual([...ids].sort());
});

test("events of a range of time are listed, with a type and without", async () => {
  const { created } = await stripe.products.create({ name: "Ranged" });
  const inRange = (await stripe.events.list({ created: { gte: created, lte: created + 5 }, type: "product.created" }))
    .data;
  expect(inRange[0]?.data.object).toMatchObject({ name: "Ranged" });
  for (const range of [{ gt: created + 3_600 }, { lt: 1_000 }]) {
    expect((await stripe.events.list({ created: range })).data).toEqual([]);
    expect((await stripe.events.list({ created: range, types: ["product.created"] })).data).toEqual([]);
  }
});

test("events are listed by whether all endpoints have taken them", async () => {
  const isIn = async (id: string, success: boolean) =>
    (await stripe.events.list({ delivery_success: success, type: "product.created" })).data.some(
      ({ data }) => "id" in data.object && data.object.id === id,
    );
  const alone = await stripe.products.create({ name: "Without an endpoint" });
  expect([await isIn(alone.id, true), await isIn(alone.id, false)]).toEqual([true, false]);
  await stripe.webhookEndpoints.create({ url: "https://example.com/hook", enabled_events: ["product.created"] });
  const { id } = await stripe.products.create({ name: "With an endpoint" });
  // No sweep runs here: it is on its way.
  expect([await isIn(id, true), await isIn(id, false)]).toEqual([false, true]);
});

test("what is not to be had is refused by name", async () => {
  const ask = (query: string) => bench.ask({ method: "GET", url: `/v1/events${query}` });
  const errorOf = async (query: string) => {
    const { status, body } = await ask(query);
    return { status, code: body.error?.["code"], param: body.error?.["param"] };
  };
  expect(await errorOf("?type=charge.*&types[]=refund.created")).toMatchObject({ status: 400 });
  expect(await errorOf("?delivery_success=maybe")).toMatchObject({ status: 400, param: "delivery_success" });
  expect(await errorOf("?type=Charge+Succeeded")).toMatchObject({ status: 400, param: "type" });
  const many = Array.from({ length: 21 }, (_, index) => `types[${index}]=charge.failed`).join("&");
  expect(await errorOf(`?${many}`)).toMatchObject({ status: 400, param: "types" });
  expect(await errorOf("/evt_none")).toMatchObject({ status: 404, code: "resource_missing", param: "id" });
  await expect(stripe.events.retrieve("evt_none")).rejects.toThrow("No such event: 'evt_none'");
});
