import { expect, test } from "vitest";
import {
  type CallerName,
  callsAnybody,
  isCallerName,
  isServiceName,
  mayCall,
  portOffset,
  serviceNames,
} from "./topology.ts";

const callers: CallerName[] = ["edge", ...serviceNames];

test("the arrows are exactly those of the architecture's table", () => {
  const arrows = callers.flatMap((caller) =>
    serviceNames.filter((callee) => mayCall(caller, callee)).map((callee) => `${caller} -> ${callee}`),
  );
  expect(arrows.sort()).toEqual(
    [
      ...["reader", "writer", "transactions", "scheduler", "pdf", "bank", "mailer"].map((name) => `edge -> ${name}`),
      ...["reader", "writer", "transactions", "pdf", "mailer", "webhooks"].map((name) => `scheduler -> ${name}`),
      ...["reader", "writer", "bank"].map((name) => `transactions -> ${name}`),
    ].sort(),
  );
});

test("the edge may ask the scheduler for its status and for nothing else", () => {
  expect(mayCall("edge", "scheduler", "GetStatus")).toBe(true);
  expect(mayCall("edge", "scheduler", "RunDue")).toBe(false);
  expect(mayCall("edge", "reader", "GetCustomer")).toBe(true);
});

test("the services that call nobody are those without an arrow", () => {
  const silent = callers.filter((caller) => !callsAnybody(caller));
  expect(silent).toEqual(callers.filter((caller) => !serviceNames.some((callee) => mayCall(caller, callee))));
});

test("no chain of calls ever comes back to its start", () => {
  const reach = (from: CallerName): CallerName[] =>
    serviceNames.filter((callee) => mayCall(from, callee)).flatMap((callee) => [callee, ...reach(callee)]);
  for (const caller of callers) expect(reach(caller)).not.toContain(caller);
});

test("every port of a Tripe is its own", () => {
  expect(new Set(Object.values(portOffset)).size).toBe(Object.keys(portOffset).length);
  for (const name of callers) expect(portOffset).toHaveProperty(name);
});

test("a name is a caller's or a service's, or nobody's", () => {
  expect([isServiceName("reader"), isServiceName("edge"), isServiceName("toString")]).toEqual([true, false, false]);
  expect([isCallerName("edge"), isCallerName("bank"), isCallerName("operator")]).toEqual([true, true, false]);
});
