import { expect, test } from "vitest";
import { contracts } from "./clients.ts";
import {
  type CallerName,
  callerNames,
  callsAnybody,
  isCallerName,
  isServiceName,
  mayCall,
  portOffset,
  rpcsOf,
  serviceNames,
} from "./topology.ts";

test("the arrows are exactly those of the architecture's table", () => {
  const arrows = callerNames.flatMap((caller) =>
    serviceNames.filter((callee) => rpcsOf(caller, callee).length > 0).map((callee) => `${caller} -> ${callee}`),
  );
  expect(arrows.sort()).toEqual(
    [
      ...["reader", "writer", "transactions", "scheduler", "pdf", "bank", "mailer"].map((name) => `edge -> ${name}`),
      ...["reader", "writer", "scheduler"].map((name) => `operator -> ${name}`),
      ...["reader", "writer", "transactions", "pdf", "mailer", "webhooks"].map((name) => `scheduler -> ${name}`),
      ...["writer", "bank"].map((name) => `transactions -> ${name}`),
    ].sort(),
  );
});

test("every rpc that is listed exists, and every rpc that exists is listed for somebody", () => {
  for (const callee of serviceNames) {
    const rpcs = contracts[callee].methods.map(({ name }) => name);
    const listed = callerNames.flatMap((caller) => rpcsOf(caller, callee));
    expect([...new Set(listed)].sort(), callee).toEqual(rpcs.sort());
  }
});

test("money is moved by those who decide, and cards and secrets are for those who need them", () => {
  const callersOf = (callee: (typeof serviceNames)[number], rpc: string) =>
    callerNames.filter((caller) => mayCall(caller, callee, rpc));
  expect(callersOf("bank", "Submit")).toEqual(["transactions"]);
  expect(callersOf("bank", "SealCard")).toEqual(["edge"]);
  expect(callersOf("writer", "LeaseDeliveries")).toEqual(["scheduler"]);
  expect(callersOf("reader", "GetApiKey")).toEqual(["edge"]);
  expect(callersOf("writer", "CreateApiKey")).toEqual(["operator"]);
  const moving = contracts.writer.methods.filter(({ name }) => /^(?:Settle|Lease|Record|Begin)/.test(name));
  for (const { name } of moving) expect(callersOf("writer", name)).not.toContain("operator");
  const forbidden = moving.filter(({ name }) => name !== "BeginSending");
  for (const { name } of forbidden) expect(callersOf("writer", name)).not.toContain("edge");
});

test("a word that is no rpc is nobody's to call", () => {
  expect(mayCall("edge", "reader", "toString")).toBe(false);
  expect(mayCall("edge", "reader", "GetCustomer")).toBe(true);
});

test("the services that call nobody are those without an arrow", () => {
  const silent = callerNames.filter((caller) => !callsAnybody(caller));
  expect(silent).toEqual(
    callerNames.filter((caller) => serviceNames.every((callee) => rpcsOf(caller, callee).length === 0)),
  );
});

test("no chain of calls ever comes back to its start", () => {
  const reach = (from: CallerName): CallerName[] =>
    serviceNames.filter((callee) => rpcsOf(from, callee).length > 0).flatMap((callee) => [callee, ...reach(callee)]);
  for (const caller of callerNames) expect(reach(caller)).not.toContain(caller);
});

test("every port of a Tripe is its own", () => {
  expect(new Set(Object.values(portOffset)).size).toBe(Object.keys(portOffset).length);
});

test("a name is a caller's or a service's, or nobody's", () => {
  expect([isServiceName("reader"), isServiceName("edge"), isServiceName("toString")]).toEqual([true, false, false]);
  expect([isCallerName("edge"), isCallerName("operator"), isCallerName("root")]).toEqual([true, true, false]);
});
