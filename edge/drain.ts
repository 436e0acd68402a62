import { Server as TcpServer } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Clock } from "../services/_runtime/clock.ts";

/** Most clients that are at work send another request before; what is idle for longer is closed as an idle connection always is. */
const IDLE_MS = 4_000;

/** How often the connections are counted meanwhile. */
const LOOK_MS = 50;

/**
 * Ends an app well: running requests are answered. Whom another edge has replaced is patient: connections stay open for one more
 * request each, since a request that meets the closing of its connection is lost to its client. Then another edge has them.
 */
export type Drain = (how: { readonly isPatient: boolean }) => Promise<void>;

/** Makes the end of an app, before it listens. Once it drains, each answer is its connection's last. */
export function createDrain(app: FastifyInstance, clock: Clock): Drain {
  let isDraining = false;
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (isDraining) reply.header("connection", "close");
    done();
  });
  return async ({ isPatient }) => {
    isDraining = true;
    if (isPatient) await waitForClients(app, clock);
    await readWhatHasCome();
    // Idle connections are held open for a minute and more; they are not worth waiting for.
    app.server.closeIdleConnections();
    await app.close();
  };
}

/** Accepts nothing more, and waits until every connection has had its last answer, or for so long. */
async function waitForClients({ server }: FastifyInstance, clock: Clock): Promise<void> {
  // HTTP's own `close` would close idle connections, too.
  TcpServer.prototype.close.call(server);
  const endMs = clock.preciseMs() + IDLE_MS;
  while (clock.preciseMs() < endMs && (await countConnections(server)) > 0) await clock.sleep(LOOK_MS);
}

/** A connection is idle only when nothing of a request has come: after a busy moment that may not have been read yet. */
function readWhatHasCome(): Promise<void> {
  // Node polls its sockets between timers and this.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

function countConnections(server: FastifyInstance["server"]): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error === null ? count : 0)));
}
