import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BankService } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import { systemClock } from "./clock.ts";
import { refuse } from "./errors.ts";
import { isRepeatable } from "./retry.ts";
import { type ProbeSetup, setupProbe } from "./testing/setup-probe.ts";
import { type Probe, wirings } from "./testing/wirings.ts";

const setup = (implementation: Probe): Promise<ProbeSetup> => setupProbe(wirings.direct, implementation);

/** A handler that fails so many times, then answers how often it was called. */
function failing(times: number, code = Code.Unavailable) {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls <= times) throw new ConnectError("try again", code);
    return { text: String(calls) };
  };
}

test("a read is tried up to three times", async () => {
  const { client, observed } = await setup({ read: failing(2) });
  expect((await client.read({})).text).toBe("3");
  expect(observed.map((call) => call.code)).toEqual(["unavailable", "unavailable", "ok"]);
});

test("a fourth try is not made", async () => {
  const { client, observed } = await setup({ read: failing(3) });
  await expect(client.read({})).rejects.toMatchObject({ code: Code.Unavailable });
  expect(observed).toHaveLength(3);
});

test("a write is tried again only when it carries a request id", async () => {
  const { client, observed } = await setup({ write: failing(1) });
  await expect(client.write({})).rejects.toMatchObject({ code: Code.Unavailable });
  expect(observed).toHaveLength(1);
  const repeated = await setup({ write: failing(1) });
  expect((await repeated.client.write({ requestId: "K/1" })).text).toBe("2");
});

test("every call of the reader is a read, and is tried again", () => {
  for (const method of ReaderService.methods)
    expect([method.name, isRepeatable(method, {})]).toEqual([method.name, true]);
});

test("a card is sealed again when the bank service restarts, and nothing at a bank is done twice without an id", () => {
  const { sealCard, submit, verifyCard } = BankService.method;
  expect([sealCard, submit, verifyCard].map((method) => isRepeatable(method, {}))).toEqual([true, false, false]);
});

test.each([Code.Aborted, Code.DeadlineExceeded, Code.Internal, Code.ResourceExhausted])(
  "nothing but UNAVAILABLE is tried again (code %i is not)",
  async (code) => {
    const { client, observed } = await setup({ read: failing(1, code) });
    await expect(client.read({})).rejects.toBeInstanceOf(ConnectError);
    expect(observed).toHaveLength(1);
  },
);

test("a refusal is not tried again", async () => {
  const { client, observed } = await setup({ read: () => refuse(Code.NotFound, "CHARGE_NOT_FOUND", "no charge") });
  await expect(client.read({})).rejects.toMatchObject({ code: Code.NotFound });
  expect(observed).toHaveLength(1);
});

test.each(Object.entries(wirings))("over %s what was tried below is not tried above", async (_name, wire) => {
  const inner = await setupProbe(wire, { read: failing(100) }, { name: "writer", caller: "transactions" });
  const outer = await setupProbe(wire, { read: () => inner.client.read({}) }, { name: "transactions" });
  await expect(outer.client.read({})).rejects.toMatchObject({ code: Code.Unavailable });
  expect([inner.observed.length, outer.observed.length]).toEqual([3, 1]);
});

test("no try is made after the deadline", async () => {
  const { client, observed } = await setup({ read: failing(100) });
  const startMs = systemClock.nowMs();
  await expect(client.read({}, { timeoutMs: 5 })).rejects.toBeInstanceOf(ConnectError);
  expect(systemClock.nowMs() - startMs).toBeLessThan(1_000);
  expect(observed.length).toBeLessThanOrEqual(3);
});

test("when everything fails, retries soon stop adding load", async () => {
  const { client, observed } = await setup({ read: failing(100_000) });
  await Promise.allSettled(Array.from({ length: 300 }, () => client.read({})));
  const retries = observed.length - 300;
  // The store of 100, and a tenth of 300.
  expect(retries).toBeGreaterThanOrEqual(100);
  expect(retries).toBeLessThanOrEqual(130);
});

test("a service restarted within two seconds is bridged: its callers only wait", async () => {
  const { client, wired, observed } = await setupProbe(wirings.sockets, { read: () => ({ text: "back" }) });
  await client.read({});
  await wired.stop();
  const answers = Promise.all(Array.from({ length: 50 }, () => client.read({})));
  await systemClock.sleep(1_500);
  await wired.start();
  expect((await answers).every((answer) => answer.text === "back")).toBe(true);
  expect(observed.length).toBeLessThanOrEqual(1 + 50 * 3);
});
