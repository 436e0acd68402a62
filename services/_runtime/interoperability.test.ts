import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { socketPathOf } from "./addresses.ts";
import { systemClock } from "./clock.ts";
import { refusalOf, refuse } from "./errors.ts";
import { silentLog } from "./log.ts";
import { createServer } from "./serve.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { mayCallProbe } from "./testing/probe-calls.ts";
import { createSocketPlace } from "./testing/socket-place.ts";
import type { Probe } from "./testing/wirings.ts";

const run = promisify(execFile);
const buf = join(import.meta.dirname, "../../node_modules/.bin/buf");

async function setup(implementation: Probe) {
  const place = await createSocketPlace();
  const server = await createServer({
    name: "reader",
    services: [{ service: ProbeService, implementation }],
    listening: place.listening("reader"),
    log: silentLog,
    clock: systemClock,
    drainMaxMs: 100,
    mayCall: mayCallProbe,
  });
  onTestFinished(async () => {
    await server.close();
    await place.remove();
  });
  const path = socketPathOf(server.address);
  const token = `Bearer ${place.dialing("operator").tokens.reader}`;
  const transport = createGrpcTransport({
    baseUrl: "http://localhost",
    nodeOptions: { createConnection: () => connect({ path }) },
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", token);
        return next(request);
      },
    ],
  });
  return { path, token, client: createClient(ProbeService, transport) };
}

const curl = ({ path, token }: { path: string; token: string }, ...rest: string[]) =>
  run(buf, [
    ...["curl", "--protocol", "grpc", "--http2-prior-knowledge", "--unix-socket", path],
    ...["-H", `authorization: ${token}`, ...rest.slice(0, -1), `http://localhost${rest.at(-1)}`],
  ]);

test("connect-node's gRPC client calls our server", async () => {
  const { client } = await setup({
    read: ({ text }, context) => {
      context.responseTrailer.set("x-trailer", "t");
      return { text: `${text}, ${context.requestHeader.get("x-ask")}` };
    },
    async *count({ to }) {
      for (let number = 1; number <= to; number += 1) yield { number };
    },
  });
  let trailer: string | null = null;
  const onTrailer = (trailers: Headers) => {
    trailer = trailers.get("x-trailer");
  };
  expect((await client.read({ text: "łódź" }, { headers: { "x-ask": "hi" }, onTrailer })).text).toBe("łódź, hi");
  expect(trailer).toBe("t");
  const numbers: number[] = [];
  for await (const { number } of client.count({ to: 2 })) numbers.push(number);
  expect(numbers).toEqual([1, 2]);
});

test("connect-node's gRPC client reads our refusals", async () => {
  const { client } = await setup({ read: () => refuse(Code.NotFound, "CHARGE_NOT_FOUND", "no charge żółw", "charge") });
  const failure = await client.read({}).catch((error: unknown) => error);
  expect(refusalOf(failure)).toEqual({
    code: Code.NotFound,
    reason: "CHARGE_NOT_FOUND",
    field: "charge",
    message: "no charge żółw",
  });
});

test("connect-node's gRPC client passes its deadline on", async () => {
  let restMs = 0;
  const { client } = await setup({
    read: (_request, context) => {
      restMs = context.timeoutMs() ?? 0;
      return new Promise(() => {});
    },
  });
  const failure = await client.read({}, { timeoutMs: 150 }).catch((error: unknown) => error);
  expect(ConnectError.from(failure).code).toBe(Code.DeadlineExceeded);
  expect(restMs).toBeGreaterThan(0);
  expect(restMs).toBeLessThanOrEqual(150);
});

test("a trace begun by somebody else is carried on", async () => {
  const { client } = await setup({
    read: (_request, context) => ({ text: context.requestHeader.get("traceparent") ?? "" }),
  });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  expect((await client.read({}, { headers: { traceparent } })).text).toBe(traceparent);
});

test("buf curl calls through reflection, and lists what is served", { timeout: 30_000 }, async () => {
  const place = await setup({ read: ({ text }) => ({ text: `${text}!`, amountMinor: 7n }) });
  const [answer, list, olderList, health] = await Promise.all([
    curl(place, "-d", '{"text":"hi"}', "/tripe.probe.v1.ProbeService/Read"),
    curl(place, "--list-methods", ""),
    curl(place, "--reflect-protocol", "grpc-v1alpha", "--list-methods", ""),
    curl(place, "/grpc.health.v1.Health/Check"),
  ]);
  expect(JSON.parse(answer.stdout)).toEqual({ text: "hi!", amountMinor: "7" });
  expect(list.stdout).toContain("tripe.probe.v1.ProbeService/Talk");
  expect(list.stdout).toContain("grpc.health.v1.Health/List");
  expect(olderList.stdout).toBe(list.stdout);
  expect(JSON.parse(health.stdout)).toEqual({ status: "SERVING" });
});

test("buf curl shows a refusal's code and words", { timeout: 30_000 }, async () => {
  const place = await setup({});
  const data = JSON.stringify({ text: "x".repeat(21) });
  const failure = await curl(place, "-d", data, "/tripe.probe.v1.ProbeService/Read").catch((error: unknown) => error);
  expect(failure).toMatchObject({ stderr: expect.stringContaining('"invalid_argument"') });
});
