import { setImmediate as nextTurn } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { expect, onTestFinished, test, vi } from "vitest";
import { createTestClock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { silentLog } from "../_runtime/log.ts";
import { createRenderer } from "./renderer.ts";

// Threads start in a tenth of a second on an idle machine; a busy one is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

// A printing thread that does as it is told: 1 hangs, 2 ends, 3 fails, 4 runs out of memory; anything else is printed.
const program = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", ([order]) => {
    if (order === 1) for (;;) {}
    if (order === 2) process.exit(3);
    if (order === 3) throw new Error("out of paper");
    if (order === 4) for (const hoard = []; ; ) hoard.push(new Array(1e6).fill(order));
    if (order === 5) return parentPort.postMessage({ error: new Error("illegible") });
    parentPort.postMessage({ printed: { pdf: new Uint8Array([order]), pageCount: 1 } });
  });`;

function setup() {
  const clock = createTestClock();
  const script = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const renderer = createRenderer({ clock, log: silentLog, script });
  onTestFinished(() => renderer.close());
  const signal = new AbortController().signal;
  const render = (order: number) => renderer.render(new Uint8Array([order]), signal);
  return { clock, renderer, render };
}

test("a thread that hangs is given up after ten seconds, and the next invoice is printed by another", async () => {
  const { clock, render } = setup();
  const hung = expect(render(1)).rejects.toSatisfy((error) => {
    expect(refusalOf(error)).toMatchObject({ code: Code.DeadlineExceeded, reason: "RENDER_TOO_LONG" });
    return true;
  });
  const next = render(7);
  await nextTurn();
  clock.advance(10_000);
  await hung;
  expect((await next).pdf).toEqual(new Uint8Array([7]));
});

test("a thread that ends, fails or fills the memory costs one invoice, not the next", async () => {
  const { render } = setup();
  await expect(render(2)).rejects.toThrow("the printing thread ended");
  await expect(render(3)).rejects.toThrow("the printing thread failed");
  await expect(render(4)).rejects.toThrow("the printing thread failed");
  expect((await render(7)).pageCount).toBe(1);
});

test("what the thread caught is the cause of the failure, and the thread goes on", async () => {
  const { render } = setup();
  await expect(render(5)).rejects.toMatchObject({ message: "printing failed", cause: { message: "illegible" } });
  expect((await render(7)).pageCount).toBe(1);
});

test("the 65th invoice in the queue is refused, and there is room again afterwards", async () => {
  const { render } = setup();
  const queue = Array.from({ length: 64 }, (_, index) => render(index + 10));
  const refusal = await render(7).catch((error: unknown) => refusalOf(error));
  expect(refusal).toMatchObject({ code: Code.ResourceExhausted, reason: "RENDER_BUSY" });
  const printed = await Promise.all(queue);
  expect(printed.map(({ pdf }) => pdf[0])).toEqual(Array.from({ length: 64 }, (_, index) => index + 10));
  expect((await render(7)).pageCount).toBe(1);
});

test("an invoice nobody waits for any more is not printed", async () => {
  const { renderer, render } = setup();
  const gone = new AbortController();
  const first = render(7);
  const second = renderer.render(new Uint8Array([8]), gone.signal);
  gone.abort(new Error("the caller is gone"));
  await expect(second).rejects.toThrow("the caller is gone");
  expect((await first).pageCount).toBe(1);
});
