import { connect } from "node:net";
import { create, type DescMethod, type MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { CreateCustomerRequestSchema } from "../gen/tripe/writer/v1/customers_pb.ts";
import { runAudit } from "./_audit/audit.ts";
import { createClient } from "./_database/connect-client.ts";
import { contracts } from "./_runtime/clients.ts";
import { systemClock as clock } from "./_runtime/clock.ts";
import { createGrpcTransport } from "./_runtime/grpc-transport.ts";
import { createId } from "./_runtime/ids.ts";
import { silentLog as log } from "./_runtime/log.ts";
import { anyMessage } from "./_runtime/testing/any-message.ts";
import { bareCall, errorOfBareCall } from "./_runtime/testing/bare-calls.ts";
import { readTokens } from "./_runtime/token-files.ts";
import { createToken, type Tokens } from "./_runtime/tokens.ts";
import { type CallerName, callerNames, mayCall, type ServiceName, serviceNames } from "./_runtime/topology.ts";
import { encode } from "./bank/iso8583/codec.ts";
import { frame } from "./bank/iso8583/frames.ts";
import { readStatement } from "./bank/sandbox/statement.ts";
import { collect } from "./bank/testing/sandbox.ts";
import { startTestTripe } from "./testing.ts";
import { createSteps } from "./transactions/testing.ts";

// Who runs as the same user reaches the sockets of a Tripe that serves, with its database and its bank behind them. The
// scheduler is in callers.test.ts: its sweeps would change rows meanwhile.
const tripe = await startTestTripe({ wiring: "grpc" });
const { accountId, config } = tripe;
const attacked = serviceNames.filter((name) => name !== "scheduler");
const tokens = new Map(
  await Promise.all(callerNames.map(async (name) => [name, await readTokens(config.dataDir, name)] as const)),
);

const owner = createClient({ url: tripe.database.urls.owner, name: "tripe_attack_test" });
// The database is dropped at the end, whoever is still connected.
owner.on("error", () => undefined);
await owner.connect();
afterAll(() => owner.end());

/** Every row of every table, as one digest a table; and the bank's lines. */
async function readAll(): Promise<Record<string, unknown>> {
  const tables = await owner.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'tripe' and table_type = 'BASE TABLE'",
  );
  const all: Record<string, unknown> = {};
  for (const { name } of tables.rows) {
    const { rows } = await owner.query(
      `select count(*), md5(string_agg(t::text, '|' order by t::text)) from tripe."${name}" t`,
    );
    all[name] = rows[0];
  }
  all["the bank"] = await collect(readStatement(tripe.statementFile));
  return all;
}

function createCall(name: ServiceName) {
  const dialing = { tokens: {}, certificates: undefined };
  const transport = createGrpcTransport({ name, addresses: config.addresses[name], dialing });
  afterAll(transport.close);
  return async (method: DescMethod, headers: [string, string][], input: MessageInitShape<DescMethod["input"]>) =>
    (await errorOfBareCall(transport, method, bareCall({ headers }), input))?.code;
}

const bearer = (token: string): [string, string][] => [["authorization", `Bearer ${token}`]];

/** What a stranger of the same user may send as one of these callers: with nothing in hand, and with what other calls bear. */
function listUnproven(name: ServiceName, callers: readonly CallerName[]): Map<string, [string, string][]> {
  const attempts = new Map<string, [string, string][]>([["no proof", []]]);
  for (const caller of callers) {
    const { sent } = tokens.get(caller) ?? none;
    attempts.set(`the name ${caller} alone`, [["tripe-caller", caller]]);
    attempts.set(`a forged token of ${caller}`, bearer(createToken(Buffer.alloc(32, 9), caller, name)));
    const digest = tokens.get(name)?.accepted[caller] ?? "";
    attempts.set(`the digest of ${caller}'s token`, bearer(`${caller}.${digest}`));
    for (const callee of serviceNames) {
      const token = sent[callee];
      // The operator has one token for all services.
      if (caller === "operator" || callee === name || token === undefined) continue;
      attempts.set(`${caller}'s token for ${callee}`, bearer(token));
    }
  }
  return attempts;
}

const none: Tokens = { sent: {}, accepted: {} };

test("without proof, forged, or with another's token no rpc of a serving Tripe is let in: no row changes, the books are clean", {
  timeout: 120_000,
}, async () => {
  const { charge, chargeRequest, createPayer } = createSteps(tripe);
  await charge(chargeRequest(await createPayer()));
  const before = await readAll();
  const refused: Record<string, number> = {};
  for (const name of attacked) {
    const call = createCall(name);
    for (const method of contracts[name].methods) {
      // As a rightful caller could send it: what refuses it is the missing proof alone.
      const [input = create(method.input)] = fc.sample(anyMessage(method.input), { numRuns: 1, seed: 20_261_130 });
      const rightful = callerNames.filter((caller) => mayCall(caller, name, method.name)).slice(0, 1);
      const unproven = [...listUnproven(name, rightful)];
      const codes = await Promise.all(unproven.map(([, header]) => call(method, header, input)));
      for (const [at, [what]] of unproven.entries()) {
        expect(codes[at], `${what}: ${name}.${method.name}`).toBe(Code.Unauthenticated);
      }
      refused[name] = (refused[name] ?? 0) + codes.length;
      for (const [caller, { sent }] of tokens) {
        const token = sent[name];
        if (token === undefined || mayCall(caller, name, method.name)) continue;
        expect(await call(method, bearer(token), input), `${caller}: ${name}.${method.name}`).toBe(
          Code.PermissionDenied,
        );
      }
    }
  }
  expect(Object.keys(refused)).toEqual(attacked);
  await attackBank();
  expect(await readAll()).toEqual(before);
  const statement = readStatement(tripe.statementFile);
  expect(await runAudit({ databaseUrl: tripe.database.urls.audit, statement, clock, log })).toEqual([]);
});

/** A purchase at the sandbox bank's port, by whoever does not sign on. */
async function attackBank(): Promise<void> {
  const { host, port } = config.acquirer;
  const socket = connect({ host, port });
  let answered = 0;
  socket.on("data", (bytes: Buffer) => {
    answered += bytes.length;
  });
  const fields = { 2: "4242424242424242", 3: "000000", 4: "000000002000", 7: "0101000000", 11: "000001" };
  socket.write(frame(encode({ type: "0200", fields: { ...fields, 14: "3412", 49: "840", 63: "buy_1" } })));
  await new Promise((resolve) => socket.once("close", resolve));
  expect(answered).toBe(0);
}

test("the same digests see a row that a proven call adds", async () => {
  const before = await readAll();
  const method = contracts.writer.methods.find(({ name }) => name === "CreateCustomer");
  if (method === undefined) throw new Error("the writer has no CreateCustomer");
  const customer = { customerId: createId("cus_"), email: "ann@example.com", invoicePrefix: "ABD" };
  const input = create(CreateCustomerRequestSchema, { accountId, requestId: createId("req_"), customer });
  const call = createCall("writer");
  expect(await call(method, [], input)).toBe(Code.Unauthenticated);
  expect(await readAll()).toEqual(before);
  expect(await call(method, bearer(tokens.get("edge")?.sent.writer ?? ""), input)).toBeUndefined();
  expect(await readAll()).not.toEqual(before);
});
