import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { edgeActions } from "../services/_runtime/config.ts";
import { actionRoutes, sharedRoutes } from "./actions/actions.ts";
import { explainNotOffered } from "./not-offered.ts";
import { pathsOf } from "./route.ts";

// Every path that the official SDK asks for, ids written ":id".
const folder = join(import.meta.dirname, "../node_modules/stripe/esm/resources");
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
const asked = sources.flatMap((name) =>
  [...readFileSync(join(folder, name), "utf8").matchAll(/'(GET|POST|DELETE)',\s*['`](\/v[12]\/[^'`]+)/g)].map(
    ([, method = "", path = ""]) => ({ method, path: path.replaceAll(/\$\{[^}]*\}/g, ":id") }),
  ),
);
const routes = [...edgeActions.flatMap((action) => actionRoutes[action]), ...sharedRoutes];
const served = new Set(routes.flatMap(pathsOf).map(({ path }) => path));
const withIds = (path: string) => path.replaceAll(":id", "x_1");

test("every path that the official SDK asks for is served, or said not to be offered", () => {
  expect(asked.length).toBeGreaterThan(400);
  const unknown = asked.filter(({ path }) => !served.has(path));
  const unexplained = unknown.filter(({ method, path }) => explainNotOffered(method, withIds(path)) === undefined);
  expect(unexplained).toEqual([]);
});

test("no path that Tripe serves is said not to be offered: another edge may serve it", () => {
  const wrong = [...served].filter((path) => explainNotOffered("GET", withIds(path)) !== undefined);
  expect(wrong).toEqual([]);
});

test.each([
  ["POST", "/v1/payment_intents", "POST /v1/charges"],
  ["POST", "/v1/payment_intents/pi_1/confirm", "POST /v1/charges"],
  ["POST", "/v1/checkout/sessions", "POST /v1/invoices"],
  ["GET", "/v1/customers/search", "GET /v1/customers"],
  ["GET", "/v1/customers/cus_1/sources/card_1", "GET /v1/payment_methods/:id"],
  ["GET", "/v1/plans/plan_1", "/v1/prices"],
  ["GET", "/v1/invoices/upcoming/lines", "GET /v1/subscriptions/:id"],
])("%s %s names what to use instead", (method, path, hint) => {
  const message = explainNotOffered(method, path);
  expect(message).toContain("Tripe does not offer");
  expect(message).toContain(hint);
});

test.each([
  "/v1/nothing",
  "/v1/charge",
  "/",
  "/v3/charges",
  "/v1",
  "/v1/__proto__",
  "/v1/toString",
  "/payment_intents",
])("a path that Stripe has not either is unknown: %s", (path) =>
  expect(explainNotOffered("GET", path)).toBeUndefined(),
);
