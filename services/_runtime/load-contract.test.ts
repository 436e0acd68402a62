import { expect, test } from "vitest";
import { contracts } from "./clients.ts";
import { loadContract } from "./load-contract.ts";
import { noClients } from "./no-clients.ts";
import { serviceNames } from "./topology.ts";

test.each(serviceNames)("the contract of %s loaded alone is the one its callers have", async (name) => {
  expect(await loadContract(name)).toBe(contracts[name]);
});

test.each(serviceNames)("a service that calls nobody finds out when it calls %s", (name) => {
  expect(() => noClients[name]).toThrow("nobody that this service may call");
});
