import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, type DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, expect, test } from "vitest";
import { contracts } from "./_runtime/clients.ts";
import { systemClock as clock } from "./_runtime/clock.ts";
import { createGrpcTransport } from "./_runtime/grpc-transport.ts";
import { createLaneTransport } from "./_runtime/lane-transport.ts";
import { silentLog as log } from "./_runtime/log.ts";
import { createServer } from "./_runtime/serve.ts";
import { bareCall, errorOfBareCall } from "./_runtime/testing/bare-calls.ts";
import { createMemoryLog } from "./_runtime/testing/memory-log.ts";
import { createSocketPlace } from "./_runtime/testing/socket-place.ts";
import { createTestFolder } from "./_runtime/testing/test-folder.ts";
import { createToken } from "./_runtime/tokens.ts";
import { callerNames, mayCall, type ServiceName, serviceNames } from "./_runtime/topology.ts";
import { openBook } from "./bank/sandbox/book.ts";
import { listenSandbox } from "./bank/sandbox/server.ts";
import { statementFile } from "./bank/sandbox/statement.ts";

/** Every service at its socket, with its contract and nothing that carries it out: an rpc that is let in is UNIMPLEMENTED. */
const place = await createSocketPlace();
afterAll(place.remove);
const serverLog = createMemoryLog();
for (const name of serviceNames) {
  const services = [{ service: contracts[name], implementation: {} }] as const;
  const server = await createServer({ name, services, listening: place.listening(name), log: serverLog, clock });
  afterAll(server.close);
}

/** The code with which a service answers a call that bears these headers. */
function createCall(name: ServiceName) {
  const dialing = { tokens: {}, certificates: undefined };
  const transport = createGrpcTransport({ name, addresses: [place.addressOf(name)], dialing });
  afterAll(transport.close);
  return async (method: DescMethod, headers: [string, string][]): Promise<Code | undefined> =>
    (await errorOfBareCall(transport, method, bareCall({ headers }), create(method.input)))?.code;
}

const bearer = (token: string): [string, string] => ["authorization", `Bearer ${token}`];

test.each(serviceNames)(
  "%s lets in each caller for the rpcs that the topology lists, and for no others",
  async (name) => {
    const call = createCall(name);
    for (const caller of callerNames) {
      const header = bearer(createToken(place.key, caller, name));
      for (const method of contracts[name].methods) {
        const code = await call(method, [header]);
        const isLetIn = code !== Code.PermissionDenied && code !== Code.Unauthenticated;
        expect(isLetIn, `${caller} calls ${name}.${method.name}: ${code}`).toBe(mayCall(caller, name, method.name));
      }
    }
  },
);

test.each(serviceNames)("%s judges each call in a lane as it judges it alone", async (name) => {
  for (const caller of callerNames) {
    const transport = createLaneTransport({ name, addresses: [place.addressOf(name)], dialing: place.dialing(caller) });
    afterAll(transport.close);
    for (const method of contracts[name].methods) {
      const code = (await errorOfBareCall(transport, method, bareCall(), create(method.input)))?.code;
      expect(code === Code.PermissionDenied, `${caller} calls ${name}.${method.name}: ${code}`).toBe(
        !mayCall(caller, name, method.name),
      );
    }
  }
});

test.each(serviceNames)("%s refuses every rpc of a caller that proves nothing", async (name) => {
  const call = createCall(name);
  serverLog.rpcs.length = 0;
  const [rightful = "edge"] = callerNames.filter((one) =>
    contracts[name].methods.some((rpc) => mayCall(one, name, rpc.name)),
  );
  const other = serviceNames.find((one) => one !== name) ?? "bank";
  const own = createToken(place.key, rightful, name);
  const attempts: Record<string, [string, string][]> = {
    "no proof": [],
    "a name alone": [["tripe-caller", rightful]],
    "no token": [bearer("")],
    "a token without a mac": [bearer(`${rightful}.`)],
    "a token of another key": [bearer(createToken(Buffer.alloc(32, 8), rightful, name))],
    "the operator's mac under another name": [
      bearer(createToken(place.key, "operator", name).replace("operator", rightful === "operator" ? "edge" : rightful)),
    ],
    "another name beside its own proof": [bearer(own), ["tripe-caller", rightful === "reader" ? "writer" : "reader"]],
    "a token of another scheme": [["authorization", `Basic ${own}`]],
    // The operator has one token for all services.
    ...(rightful === "operator"
      ? {}
      : { "another service's token": [bearer(createToken(place.key, rightful, other))] }),
  };
  for (const [what, headers] of Object.entries(attempts)) {
    for (const method of contracts[name].methods) {
      expect(await call(method, headers), `${what}: ${name}.${method.name}`).toBe(Code.Unauthenticated);
    }
  }
  expect(serverLog.rpcs).toEqual([]);
});

/** Runs a program of Node's as another user; undefined where that cannot be. */
async function runAsNobody(program: string, ...words: string[]): Promise<string | undefined> {
  const as = ["--reuid", "nobody", "--clear-groups", process.execPath, "-e", program, ...words];
  return promisify(execFile)("setpriv", as).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

const canBeNobody = process.getuid?.() === 0 && (await runAsNobody("")) !== undefined;

test.skipIf(!canBeNobody)(
  "another user of the machine reaches no socket, the sandbox bank's neither (as root, with setpriv)",
  async () => {
    const book = await openBook({ file: statementFile(await createTestFolder("tripe-callers-")), clock });
    const path = join(place.folder, "sandbox-bank.sock");
    const onBroken = (error: unknown) => log.error("the bank broke", error);
    const bank = await listenSandbox({ book, clock, isPassword: () => false, onBroken }, { path });
    afterAll(bank.close);
    const paths = [path, ...serviceNames.map((name) => join(place.folder, `${name}.sock`))];
    const connectAll = `
    const { connect } = require("node:net");
    for (const path of process.argv.slice(1)) {
      connect(path).on("connect", () => console.log("reached")).on("error", ({ code }) => console.log(code)).unref();
    }`;
    const answers = (await runAsNobody(connectAll, ...paths))?.trim().split("\n");
    expect(answers).toEqual(paths.map(() => "EACCES"));
  },
);
