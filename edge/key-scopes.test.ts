import { expect, test } from "vitest";
import { actionRoutes, sharedRoutes } from "./actions/actions.ts";
import { grantsScope, parseScopes, scopeOf, scopesOfExpanded } from "./key-scopes.ts";
import { pathsOf } from "./route.ts";

const routes = [...Object.values(actionRoutes).flat(), ...sharedRoutes];

test("every route has a scope, under each of its paths the same", () => {
  for (const route of routes) {
    for (const { path } of pathsOf(route)) {
      expect(scopeOf({ method: route.method, path })).toBe(scopeOf(route));
    }
  }
  expect(scopeOf({ method: "POST", path: "/v1/charges/:id/capture" })).toBe("charges:write");
  expect(scopeOf({ method: "DELETE", path: "/v1/subscriptions/:id" })).toBe("subscriptions:write");
  expect(scopeOf({ method: "GET", path: "/v1/invoiceitems" })).toBe("invoices:read");
});

test("every path that can be expanded needs a scope to read what it shows", () => {
  for (const { expandable } of routes) {
    for (const path of expandable) expect(() => scopesOfExpanded([path])).not.toThrow();
  }
  expect(scopesOfExpanded(["customer", "data.customer"])).toEqual(["customers:read"]);
  expect(scopesOfExpanded(["latest_invoice.charge"])).toEqual(["invoices:read", "charges:read"]);
  expect(scopesOfExpanded(["payment_intent", "review"])).toEqual([]);
});

test("write grants read of the same resource, and nothing else", () => {
  expect(grantsScope(["charges:write"], "charges:read")).toBe(true);
  expect(grantsScope(["charges:read"], "charges:write")).toBe(false);
  expect(grantsScope(["charges:write"], "customers:read")).toBe(false);
  expect(grantsScope([], "charges:read")).toBe(false);
});

test("scopes are read as they are written, and unknown ones are refused by name", () => {
  expect(parseScopes("charges:write, customers:read,charges:write")).toEqual(["charges:write", "customers:read"]);
  for (const word of ["charge:write", "charges", "charges:admin", "charges:read:x", ""]) {
    expect(() => parseScopes(word)).toThrow(`"${word}" is not a scope`);
  }
});
