import { connect } from "node:net";
import { systemClock } from "../../services/_runtime/clock.ts";
import { formOf, type Wish } from "./merchant.ts";
import { isAlive, signal } from "./processes.ts";
import { type ProcessName, SECRET_KEY, until, type WholeTripe } from "./whole-tripe.ts";

/**
 * The goal of T2 is 10 s on a machine that does nothing else, where it is about one. This machine may run other
 * tests, and has two cores: beyond this something is stuck. The times are printed.
 */
export const RECOVERY_MAX_MS = 40_000;

/** No answer of /healthz is older (edge/health.ts). */
const HEALTH_AGE_MS = 1_000;

/** Kills one process and waits until /healthz has named it and then everything serves again; tells how long that took. */
export async function killAndRecover(tripe: WholeTripe, name: ProcessName): Promise<number> {
  const pid = await tripe.pidOf(name);
  const startMs = systemClock.preciseMs();
  signal(pid, "SIGKILL");
  if (name === "edge") {
    // Its port stays open: what comes meanwhile waits for the next edge.
    const isAnother = async () => (await tripe.pidOf(name).catch(() => pid)) !== pid;
    await until(isAnother, RECOVERY_MAX_MS, "another edge");
  } else if (name === "sandbox-bank") {
    // The bank is no service of Tripe's, of which /healthz would tell.
    const listens = async () => (await tripe.takenPorts()).includes(name);
    await until(async () => !isAlive(pid) && !(await listens()), RECOVERY_MAX_MS, `${name} is gone`);
    await until(listens, RECOVERY_MAX_MS, `${name} listens`);
  } else {
    // Health is as of a moment ago: of a process that is back within a second it may never have said that it was gone.
    const isNamed = async () => {
      const { status, text } = await tripe.health();
      return status === 503 && text.includes(`${name} not serving`);
    };
    const isAnother = async () => (await tripe.pidOf(name).catch(() => pid)) !== pid;
    await until(async () => (await isNamed()) || (await isAnother()), RECOVERY_MAX_MS, `${name} is gone`);
    await systemClock.sleep(HEALTH_AGE_MS);
  }
  await tripe.untilHealthy(RECOVERY_MAX_MS);
  return systemClock.preciseMs() - startMs;
}

/**
 * Stops Postgres at once ("immediate": no checkpoint, every client cut off), and holds its keeper still for a while, so that
 * nobody starts it again before; then waits for a new one.
 */
export async function stopPostgres(tripe: WholeTripe, downMs: number): Promise<void> {
  const pid = await tripe.postgresPid();
  const keeper = tripe.supervisor().pid;
  signal(keeper, "SIGSTOP");
  try {
    signal(pid, "SIGQUIT");
    await systemClock.sleep(downMs);
  } finally {
    signal(keeper, "SIGCONT");
  }
  await until(async () => ![0, pid].includes(await tripe.postgresPid()), RECOVERY_MAX_MS, "another Postgres");
}

/** Holds a process still for a while: to the others it is as good as dead, and then it wakes up in the middle of its work. */
export async function pause(tripe: WholeTripe, name: ProcessName, pauseMs: number): Promise<void> {
  const pid = await tripe.pidOf(name);
  signal(pid, "SIGSTOP");
  await systemClock.sleep(pauseMs);
  signal(pid, "SIGCONT");
}

/**
 * Sends a request of a merchant's and closes the socket before an answer can be read: up to a share of 0.5 in the middle of
 * the request, beyond it some milliseconds after all of it.
 */
export function sendAndHangUp(tripe: WholeTripe, wish: Wish, share: number): Promise<void> {
  const body = formOf(wish);
  const head = [
    "POST /v1/charges HTTP/1.1",
    "host: 127.0.0.1",
    `authorization: Bearer ${SECRET_KEY}`,
    `idempotency-key: ${wish.key}`,
    "content-type: application/x-www-form-urlencoded",
    `content-length: ${body.length}`,
  ];
  const text = `${head.join("\r\n")}\r\n\r\n${body}`;
  const cut = share < 0.5 ? Math.floor(text.length * share * 2) : text.length;
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: tripe.port });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    // A charge takes some 10 to 40 ms: the socket is closed anywhere on its way.
    socket.write(text.slice(0, cut), () => systemClock.setTimer(() => socket.destroy(), share * 40));
  });
}
