import { Agent, request } from "node:http";
import { fastify } from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { createDrain } from "./drain.ts";
import { createHttpServer } from "./http-server.ts";
import { listenOn } from "./testing/sockets.ts";

/** An app with a request that runs until it is let go, and a client that keeps its connections. */
async function setup() {
  const app = fastify({
    serverFactory: (listener) => createHttpServer(listener, { certificate: undefined, handshakeMs: 1_000 }),
    return503OnClosing: false,
  });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  app.get("/quick", async () => "quick");
  app.get("/slow", async () => released.then(() => "slow"));
  const drain = createDrain(app, systemClock);
  const port = await listenOn(app);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const ask = (path: string) =>
    new Promise<{ text: string; connection: string | undefined }>((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, path, agent }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
        });
        answer.once("end", () => resolve({ text, connection: answer.headers.connection }));
      });
      sent.once("error", reject);
      sent.end();
    });
  return { ask, drain, release };
}

test("a replaced edge answers what runs and one more request of each idle connection, which is its last", async () => {
  const { ask, drain, release } = await setup();
  expect(await ask("/quick")).toEqual({ text: "quick", connection: "keep-alive" });
  const slow = ask("/slow");
  // A second connection, idle by now.
  await ask("/quick");
  let hasEnded = false;
  const drained = drain({ isPatient: true }).then(() => {
    hasEnded = true;
  });
  expect(await ask("/quick")).toEqual({ text: "quick", connection: "close" });
  await expect(ask("/quick")).rejects.toThrow("ECONNREFUSED");
  expect(hasEnded).toBe(false);
  release();
  expect(await slow).toEqual({ text: "slow", connection: "close" });
  await drained;
});

test("an edge that ends answers what runs and what has come, and closes idle connections at once", async () => {
  const { ask, drain, release } = await setup();
  const slow = ask("/slow");
  await ask("/quick");
  const late = ask("/quick");
  const drained = drain({ isPatient: false });
  expect(await late).toEqual({ text: "quick", connection: "close" });
  await expect.poll(() => ask("/quick").catch(String)).toMatch(/ECONNREFUSED/);
  release();
  expect(await slow).toEqual({ text: "slow", connection: "close" });
  await drained;
});
