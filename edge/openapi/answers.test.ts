import { expect, test } from "vitest";
import { systemClock } from "../../services/_runtime/clock.ts";
import { actionRoutes, sharedRoutes } from "../actions/actions.ts";
import { addKey } from "../testing/keys.ts";
import { startBench } from "../testing/tripe.ts";
import { createOpenapi } from "./openapi.ts";
import { createChecker } from "./testing/checker.ts";
import {
  failRequests,
  makeEndpoint,
  useCharges,
  useCustomers,
  useEvents,
  useInvoices,
  useSubscriptions,
} from "./testing/journey.ts";
import { createNormaliser } from "./testing/normalise.ts";
import { type ApiDocument, createRecorder, placesOf } from "./testing/recorder.ts";

// Every operation of the document is asked of a real Tripe, and its real answer held against the document.
const PUBLISHABLE_KEY = "pk_test_openapi12345";
const bench = await startBench();
const { tripe } = bench;
const { accountId } = tripe;
await addKey(tripe.database.urls.owner, { accountId, text: PUBLISHABLE_KEY, kind: "publishable" });
const { ask } = bench.edgeOf(["customers", "charges", "returns", "subscriptions", "invoices"], {
  publicUrl: "https://pay.example.com",
});
const document = JSON.parse(
  JSON.stringify(createOpenapi([...Object.values(actionRoutes).flat(), ...sharedRoutes])),
) as ApiDocument;
const recorder = createRecorder(document, { ask, checker: createChecker(document) });
const nowS = Math.floor(systemClock.nowMs() / 1_000);

const endpoint = await makeEndpoint(recorder);
const customer = await useCustomers(recorder);
await useCharges(recorder, customer);
await useSubscriptions(recorder, customer);
await useInvoices(recorder, customer);
await useEvents(recorder, endpoint);
await failRequests(recorder, PUBLISHABLE_KEY);
await tripe.stopService("transactions");
await recorder.call("createCharge", { body: { amount: 2_000, currency: "usd", customer } });

test("every request and every answer is what the document says", () => {
  expect(recorder.problems).toEqual([]);
});

test("every operation was answered", () => {
  expect([...placesOf(document).keys()].filter((name) => !recorder.answered.has(name))).toEqual([]);
});

test("the examples of the document are these answers", async () => {
  expect(recorder.problems).toEqual([]);
  const normalise = createNormaliser(nowS);
  const examples = Object.fromEntries([...recorder.examples].map(([name, answer]) => [name, normalise(answer)]));
  await expect(`${JSON.stringify(examples, null, 2)}\n`).toMatchFileSnapshot("./examples.json");
});
