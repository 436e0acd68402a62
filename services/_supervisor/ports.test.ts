import { createServer } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../_runtime/clock.ts";
import { waitForPorts } from "./ports.ts";

/** Of the range of this folder's tests, by process, so that two runs side by side do not meet. */
const port = 22_800 + (process.pid % 99);
const place = { name: "edge", address: `127.0.0.1:${port}` };

async function listen() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

test("free ports are waited for no longer than it takes to look", async () => {
  await expect(waitForPorts([place], systemClock)).resolves.toBeUndefined();
});

test("a port that stays taken is named, with what to do", async () => {
  const server = await listen();
  await expect(waitForPorts([place], systemClock)).rejects.toThrow(
    `127.0.0.1:${port} (edge) is taken by another program. Stop it, or set PORT`,
  );
  server.close();
});

test("a port that a dying process leaves is waited for", async () => {
  const server = await listen();
  const waiting = waitForPorts([place], systemClock);
  server.close();
  await expect(waiting).resolves.toBeUndefined();
});
