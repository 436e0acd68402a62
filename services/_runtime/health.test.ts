import { once } from "node:events";
import { Client, credentials, type Server } from "@grpc/grpc-js";
import { HealthImplementation, service } from "grpc-health-check";
import { expect, onTestFinished, test } from "vitest";
import { addHealth } from "./health.ts";
import { serveBare } from "./testing/bare-server.ts";

const names = ["", "tripe.probe.v1.ProbeService"];

/** Ours, and the package of gRPC's authors as its oracle; each gives back what ends the health of all. */
const implementations = {
  ours: (server: Server) => addHealth(server, names).end,
  "the package's": (server: Server) => {
    const oracle = new HealthImplementation(Object.fromEntries(names.map((name) => [name, "SERVING"])));
    oracle.addToServer(server);
    return () => {
      for (const name of names) oracle.setStatus(name, "NOT_SERVING");
    };
  },
};

/** Every test asks both, by the package's own client. */
const each = test.each(Object.entries(implementations));

async function setup(add: (server: Server) => () => void) {
  let end = () => {};
  const address = await serveBare((server) => {
    end = add(server);
  });
  const client = new Client(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const ask = (rpc: "Check" | "List", request: object) => {
    const { path, requestSerialize, responseDeserialize } = definitionOf(rpc);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  };
  const watch = (request: object) => {
    const { path, requestSerialize, responseDeserialize } = definitionOf("Watch");
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    call.on("error", () => {});
    const next = async () => (await once(call, "data"))[0];
    return { next, cancel: () => call.cancel() };
  };
  return {
    end: () => end(),
    check: (name: string) => ask("Check", { service: name }),
    list: () => ask("List", {}),
    watch,
  };
}

function definitionOf(rpc: string) {
  const definition = service[rpc];
  if (definition === undefined) throw new Error(`the package knows no ${rpc}`);
  return definition;
}

each("%s says SERVING of every name, and NOT_SERVING from its end on", async (_name, add) => {
  const { check, end } = await setup(add);
  for (const name of names) expect(await check(name)).toEqual({ status: "SERVING" });
  end();
  for (const name of names) expect(await check(name)).toEqual({ status: "NOT_SERVING" });
});

each("%s answers NOT_FOUND of a name that nobody serves", async (_name, add) => {
  const { check } = await setup(add);
  await expect(check("tripe.probe.v1.Nobody")).rejects.toMatchObject({ code: 5 });
});

each("%s lists every name", async (_name, add) => {
  const { list, end } = await setup(add);
  const all = (status: string) => ({ statuses: Object.fromEntries(names.map((name) => [name, { status }])) });
  expect(await list()).toEqual(all("SERVING"));
  end();
  expect(await list()).toEqual(all("NOT_SERVING"));
});

each("%s tells those who watch at once, and again at its end", async (_name, add) => {
  const { watch, end } = await setup(add);
  const watches = [...names, "", "tripe.probe.v1.Nobody"].map((name) => watch({ service: name }));
  const [first, second, gone, nobody] = watches;
  const statuses = await Promise.all(watches.map(({ next }) => next()));
  expect(statuses.map(({ status }) => status)).toEqual(["SERVING", "SERVING", "SERVING", "SERVICE_UNKNOWN"]);
  gone?.cancel();
  const ends = [first, second].map((one) => one?.next());
  end();
  expect(await Promise.all(ends)).toEqual([{ status: "NOT_SERVING" }, { status: "NOT_SERVING" }]);
  nobody?.cancel();
});
