import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { callerGone, createCall, runCall } from "./call.ts";
import { systemClock } from "./clock.ts";
import { refusalOf, refuse } from "./errors.ts";
import { failureOf, setupProbe } from "./testing/setup-probe.ts";
import { type Wiring, wirings } from "./testing/wirings.ts";

// The conformance suite of every transport, part two: how calls, streams and services end.
const each = test.each(Object.entries(wirings));
// What takes milliseconds has taken seconds on a machine busy with other tests.
const soon = { timeout: 4_000 };

each("over %s a deadline ends a call for both sides", async (_name, wire) => {
  const handler = Promise.withResolvers<unknown>();
  const { client, log } = await setupProbe(wire, {
    async read({ text }, { signal }) {
      if (text === "warm") return {};
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      handler.resolve(signal.reason);
      throw signal.reason;
    },
  });
  // The first call also connects, which alone may outlast a short deadline on a busy machine.
  await client.read({ text: "warm" });
  const failure = await failureOf(client.read({}, { timeoutMs: 400 }));
  expect(failure.code).toBe(Code.DeadlineExceeded);
  expect(ConnectError.from(await handler.promise).code).toBe(Code.DeadlineExceeded);
  await expect.poll(() => log.rpcs.filter((line) => line.code === "deadline_exceeded").length, soon).toBe(2);
});

each("over %s a handler that ignores its deadline does not hold its caller", async (_name, wire) => {
  const { client } = await setupProbe(wire, { read: () => new Promise(() => {}) });
  const startMs = systemClock.nowMs();
  expect((await failureOf(client.read({}, { timeoutMs: 50 }))).code).toBe(Code.DeadlineExceeded);
  expect(systemClock.nowMs() - startMs).toBeLessThan(4_000);
});

each(
  "over %s a call gets its rpc's default deadline, or what is left of its caller's, less a reserve",
  async (_name, wire) => {
    const rest: number[] = [];
    const { client } = await setupProbe(wire, {
      read: (_request, context) => ({ text: String(rest.push(context.timeoutMs() ?? 0)) }),
    });
    await client.read({});
    const call = createCall({ caller: "merchant", deadlineMs: systemClock.nowMs() + 2_000 });
    await runCall(call, () => client.read({}, { timeoutMs: 60_000 }));
    const [byDefault = 0, byCaller = 0] = rest;
    expect(byDefault).toBeGreaterThan(1_995);
    expect(byDefault).toBeLessThanOrEqual(5_000);
    expect(byCaller).toBeGreaterThan(0);
    expect(byCaller).toBeLessThanOrEqual(1_995);
  },
);

each("over %s a call without any time left is not made", async (_name, wire) => {
  const { client, observed } = await setupProbe(wire, { read: () => ({}) });
  const call = createCall({ caller: "merchant", deadlineMs: systemClock.nowMs() + 3 });
  const failure = await runCall(call, () => failureOf(client.read({})));
  expect([failure.code, observed]).toEqual([Code.DeadlineExceeded, []]);
});

each("over %s cancelling reaches the handler", async (_name, wire) => {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const { client } = await setupProbe(wire, {
    read: (_request, { signal }) => {
      signal.addEventListener("abort", () => ended.resolve(signal.reason));
      started.resolve();
      return new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const failed = failureOf(client.read({}, { signal: controller.signal }));
  await started.promise;
  controller.abort();
  expect((await failed).code).toBe(Code.Canceled);
  expect(ConnectError.from(await ended.promise).code).toBe(Code.Canceled);
});

each("over %s when the current call is cancelled, the calls it has made are too", async (_name, wire) => {
  const started = Promise.withResolvers<void>();
  const { client } = await setupProbe(wire, {
    read: () => {
      started.resolve();
      return new Promise(() => {});
    },
  });
  const call = createCall({ caller: "merchant" });
  const failed = runCall(call, () => failureOf(client.read({})));
  await started.promise;
  call.cancel(callerGone());
  expect((await failed).code).toBe(Code.Canceled);
});

/** A service that calls another, whose handler waits for its end and notes the reason. */
async function setupNested(wire: Wiring) {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const inner = await setupProbe(
    wire,
    {
      read: (_request, { signal }) => {
        signal.addEventListener("abort", () => ended.resolve(signal.reason));
        started.resolve();
        return new Promise(() => {});
      },
    },
    { name: "bank", caller: "transactions" },
  );
  const outer = await setupProbe(wire, { read: () => inner.client.read({}) }, { name: "transactions" });
  return { client: outer.client, started: started.promise, ended: ended.promise };
}

each("over %s cancelling reaches the handlers of calls made on the call's behalf", async (_name, wire) => {
  const { client, started, ended } = await setupNested(wire);
  const controller = new AbortController();
  const failed = failureOf(client.read({}, { signal: controller.signal }));
  await started;
  controller.abort();
  expect((await failed).code).toBe(Code.Canceled);
  expect(ConnectError.from(await ended).code).toBe(Code.Canceled);
});

each("over %s a deadline reaches the handlers of calls made on the call's behalf", async (_name, wire) => {
  const { client, started, ended } = await setupNested(wire);
  const failed = failureOf(client.read({}, { timeoutMs: 1_500 }));
  await started;
  expect((await failed).code).toBe(Code.DeadlineExceeded);
  // Whichever comes first: its own deadline, or word that its caller has stopped to wait.
  expect([Code.DeadlineExceeded, Code.Canceled]).toContain(ConnectError.from(await ended).code);
});

each("over %s a call that is cancelled before it is made reaches no handler", async (_name, wire) => {
  let reached = false;
  const { client } = await setupProbe(wire, {
    read() {
      reached = true;
      return {};
    },
  });
  const call = createCall({ caller: "merchant" });
  call.cancel(callerGone());
  const failure = await runCall(call, () => failureOf(client.read({})));
  expect([failure.code, reached]).toEqual([Code.Canceled, false]);
});

each("over %s what has ended, well or badly, leaves nothing for its caller to cancel", async (_name, wire) => {
  const { client } = await setupProbe(wire, {
    read: ({ text }) => (text === "bad" ? refuse(Code.Aborted, "STALE", "stale") : {}),
  });
  const call = createCall({ caller: "merchant" });
  const listeners = new Set<() => void>();
  const { onCancel, offCancel } = call;
  call.onCancel = (listener) => {
    listeners.add(listener);
    onCancel.call(call, listener);
  };
  call.offCancel = (listener) => {
    listeners.delete(listener);
    offCancel.call(call, listener);
  };
  await runCall(call, () => Promise.allSettled(["good", "bad"].map((text) => client.read({ text }))));
  expect(listeners.size).toBe(0);
});

each("over %s a service that is gone is UNAVAILABLE, and found again when it is back", async (_name, wire) => {
  const { wired, client } = await setupProbe(wire, { write: () => ({ text: "done" }) });
  await client.write({});
  await wired.stop();
  expect((await failureOf(client.write({}))).code).toBe(Code.Unavailable);
  expect(await wired.transport.isServing(200)).toBe(false);
  await wired.start();
  await expect.poll(() => client.write({}).catch(() => undefined), soon).toMatchObject({ text: "done" });
  expect(await wired.transport.isServing(1_000)).toBe(true);
});

each("over %s a stopping service lets running calls end", async (_name, wire) => {
  const running = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { wired, client } = await setupProbe(wire, {
    async write() {
      running.resolve();
      await release.promise;
      return { text: "done" };
    },
  });
  const answer = client.write({});
  await running.promise;
  let isStopped = false;
  const stopped = wired.stop().then(() => {
    isStopped = true;
  });
  // Well beyond the moment a server leaves for its last bytes: it would have ended if it did not wait for the call.
  await systemClock.sleep(300);
  expect(isStopped).toBe(false);
  release.resolve();
  expect((await answer).text).toBe("done");
  await stopped;
});

each("over %s streams carry messages in every direction", async (_name, wire) => {
  const { client } = await setupProbe(wire, {
    async *count({ to }) {
      for (let number = 1; number <= to; number += 1) yield { number };
    },
    async sum(requests) {
      let sum = 0;
      for await (const { number } of requests) sum += number;
      return { sum };
    },
    async *talk(requests) {
      for await (const request of requests) yield { text: `${request.text}!` };
    },
  });
  expect((await collect(client.count({ to: 3 }))).map((item) => item.number)).toEqual([1, 2, 3]);
  expect((await client.sum(iterate([{ number: 1 }, { number: 2 }]))).sum).toBe(3);
  expect((await collect(client.talk(iterate([{ text: "a" }, { text: "ż" }])))).map((item) => item.text)).toEqual([
    "a!",
    "ż!",
  ]);
});

each("over %s a stream ends with a refusal, or when its caller cancels it", async (_name, wire) => {
  const ended = Promise.withResolvers<void>();
  const { client } = await setupProbe(wire, {
    async *count({ to }, { signal }) {
      signal.addEventListener("abort", () => ended.resolve());
      yield { number: to };
      if (to === 0) refuse(Code.OutOfRange, "NOTHING_LEFT", "nothing left");
      await new Promise(() => {});
    },
  });
  expect(refusalOf(await failureOf(collect(client.count({ to: 0 }))))?.reason).toBe("NOTHING_LEFT");
  const controller = new AbortController();
  const failed = failureOf(
    (async () => {
      for await (const _item of client.count({ to: 1 }, { signal: controller.signal })) controller.abort();
    })(),
  );
  expect((await failed).code).toBe(Code.Canceled);
  await ended.promise;
});
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
