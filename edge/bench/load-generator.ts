import { setImmediate } from "node:timers";
import { systemClock } from "../../services/_runtime/clock.ts";
import { type LoadMessage, type LoadPlan, type LoadResult, NUMBER, NUMBER_DIGITS } from "./load-plan.ts";
import { createPicker } from "./pick-template.ts";
import { openRawConnection, type RawConnection } from "./raw-connection.ts";
import { percentilesOf } from "./statistics.ts";

// The load generator: a process of its own, so that its CPU is its own. Its parent sends the plan, and reads the processes'
// CPU at "measuring" and at "measured".
process.once("message", (plan) => void generate(plan as LoadPlan));

/** A tenth of what Retry-After asks for: the load stays near what the connections are meant to make. */
const SHED_WAIT_MS = 100;

interface Window {
  isOpen: boolean;
  readonly latencies: number[];
  readonly statuses: Record<string, number>;
}

async function generate(plan: LoadPlan): Promise<void> {
  const nextText = createTexts(plan);
  const window: Window = { isOpen: false, latencies: [], statuses: {} };
  const note = (status: number, startMs: number) => {
    if (!window.isOpen) return;
    window.statuses[status] = (window.statuses[status] ?? 0) + 1;
    if (status === 200) window.latencies.push(systemClock.preciseMs() - startMs);
  };
  const stop = plan.rate === undefined ? closedLoad(plan, nextText, note) : openLoad(plan, plan.rate, nextText, note);
  await systemClock.sleep(plan.warmUpMs);
  say({ is: "measuring" });
  const [startMs, startCpu] = [systemClock.preciseMs(), process.cpuUsage()];
  window.isOpen = true;
  await systemClock.sleep(plan.measureMs);
  window.isOpen = false;
  const seconds = (systemClock.preciseMs() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(startCpu);
  say({ is: "measured" });
  await stop();
  const { latencies, statuses } = window;
  const generatorCpuMs = (user + system) / 1_000;
  const result: LoadResult = {
    okCount: latencies.length,
    statuses,
    seconds,
    generatorCpuMs,
    ...percentilesOf(latencies),
  };
  say({ is: "result", result });
  process.disconnect?.();
}

function say(message: LoadMessage): void {
  process.send?.(message);
}

/** The next request to send: a template by its weight, with a number of its own. */
function createTexts({ templates }: LoadPlan): () => string {
  const pick = createPicker(templates);
  const parts = templates.map(({ text }) => text.split(NUMBER));
  let number = systemClock.nowMs() * 1_000;
  return () => {
    number += 1;
    return parts[pick(Math.random())]?.join(String(number).padStart(NUMBER_DIGITS, "0")) ?? "";
  };
}

type Note = (status: number, startMs: number) => void;

/** Each connection sends its next request when it has its answer. Resolves, once asked to stop, when the last is answered. */
function closedLoad({ port, connections }: LoadPlan, nextText: () => string, note: Note): () => Promise<void> {
  let isOver = false;
  const lane = (connection: RawConnection) =>
    new Promise<void>((resolve) => {
      const next = () => {
        if (isOver) {
          connection.close();
          return resolve();
        }
        const startMs = systemClock.preciseMs();
        connection.send(nextText(), (status) => {
          note(status, startMs);
          // What is shed, or broke, is not asked for again at once: that would be another load than the one that is measured.
          if (status === 0 || status === 429 || status === 503) systemClock.setTimer(next, SHED_WAIT_MS);
          else next();
        });
      };
      next();
    });
  const buffer = Buffer.allocUnsafe(65_536);
  const lanes = Array.from({ length: connections }, () => lane(openRawConnection(port, buffer)));
  return async () => {
    isOver = true;
    await Promise.all(lanes);
  };
}

/** Requests at a constant rate, each from the moment at which it was due; what finds no free connection waits for one. */
function openLoad(plan: LoadPlan, rate: number, nextText: () => string, note: Note): () => Promise<void> {
  const buffer = Buffer.allocUnsafe(65_536);
  const free: RawConnection[] = [];
  const waiting: number[] = [];
  let opened = 0;
  let pending = 0;
  let sent = 0;
  let isOver = false;
  const startMs = systemClock.preciseMs();
  const send = (connection: RawConnection, dueMs: number) => {
    pending += 1;
    connection.send(nextText(), (status) => {
      pending -= 1;
      note(status, dueMs);
      const next = waiting.shift();
      if (next === undefined) free.push(connection);
      else setImmediate(() => send(connection, next));
    });
  };
  const connectionFor = () => {
    const found = free.pop();
    if (found !== undefined || opened >= plan.connections) return found;
    opened += 1;
    return openRawConnection(plan.port, buffer);
  };
  const arrive = async () => {
    while (!isOver) {
      const nowMs = systemClock.preciseMs();
      for (let dueMs = startMs + (sent * 1_000) / rate; dueMs <= nowMs; dueMs = startMs + (sent * 1_000) / rate) {
        sent += 1;
        const connection = connectionFor();
        if (connection === undefined) waiting.push(dueMs);
        else send(connection, dueMs);
      }
      await systemClock.sleep(1);
    }
  };
  const arriving = arrive();
  return async () => {
    isOver = true;
    await arriving;
    waiting.length = 0;
    while (pending > 0) await systemClock.sleep(5);
    for (const connection of free) connection.close();
  };
}
