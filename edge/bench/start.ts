import { readFileSync } from "node:fs";
import { systemClock } from "../../services/_runtime/clock.ts";
import { childrenOf } from "../chaos/processes.ts";
import { cpuBetween, nameOf } from "./cpu.ts";
import { type Figure, figureOf } from "./figure.ts";
import type { Measure, MeasureContext } from "./measure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { runLoad } from "./run-load.ts";
import { chargesOf, createMerchant } from "./stored-customers.ts";

/** How long its CPU at rest is counted. */
const REST_MS = 30_000;
/** Sweeps and autovacuum have caught up with the charges by then. */
const SETTLE_MS = 5_000;
const CHARGES = 1_000;
const CHARGES_PER_S = 100;

/** P9: how long a start takes, and what a Tripe costs that does nothing. */
export const start: Measure = {
  row: "P9",
  sentence: "seconds of a start, on a fresh data folder and later; memory (PSS) after 1,000 charges, and CPU at rest",
  wirings: ["processes", "one"],
  run: (context, wiring) => context.onTripe(wiring, (tripe, startMs) => measure(context, tripe, startMs)),
};

async function measure(context: MeasureContext, tripe: MeasuredTripe, freshMs: number): Promise<Figure[]> {
  const { wiring } = tripe;
  await tripe.stop();
  const laterMs = await tripe.start();
  const templates = chargesOf(await createMerchant(tripe.port, CUSTOMERS));
  const plan = { templates, connections: CUSTOMERS, rate: CHARGES_PER_S, warmUpMs: 0 };
  await runLoad(tripe, { ...plan, measureMs: (CHARGES / CHARGES_PER_S) * 1_000 });
  await systemClock.sleep(SETTLE_MS);
  const before = await tripe.cpu();
  await systemClock.sleep(REST_MS);
  const rest = [...cpuBetween(before, await tripe.cpu())].map(([name, ms]) => ({
    name,
    percent: (ms / REST_MS) * 100,
  }));
  const memory = await readMemory(tripe);
  const listed = <Row extends { name: string }>(rows: readonly Row[], of: (row: Row) => string) =>
    rows.map((row) => `${row.name} ${of(row)}`).join(", ");
  context.note(`${wiring}: PSS in MB: ${listed(memory, ({ mb }) => mb.toFixed(0))}`);
  context.note(`${wiring}: % of a core at rest: ${listed(rest, ({ percent }) => percent.toFixed(2))}`);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const figures = [
    { part: "fresh start, s", value: freshMs / 1_000, goal: 5 },
    { part: "later start, s", value: laterMs / 1_000, goal: 2 },
    { part: "largest process, MB", value: Math.max(...memory.map(({ mb }) => mb)), goal: 70 },
    { part: "all processes, MB", value: sum(memory.map(({ mb }) => mb)) },
    { part: "at rest, % of a core", value: sum(rest.map(({ percent }) => percent)), goal: 1 },
  ];
  return figures.map((figure) => figureOf({ measure: "P9", wiring, bound: "most", ...figure }));
}

/** The proportional memory of each process of Node's; Postgres' is its cache. */
async function readMemory(tripe: MeasuredTripe): Promise<{ name: string; mb: number }[]> {
  const own = { name: tripe.wiring === "one" ? "one process" : "supervisor", pid: tripe.supervisorPid() };
  const children = (await childrenOf(own.pid)).flatMap((child) => {
    const name = nameOf(child);
    return name === undefined ? [] : [{ name, pid: child.pid }];
  });
  return [own, ...children].map(({ name, pid }) => ({
    name,
    mb: readPssMb(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")),
  }));
}

/** The proportional set size in /proc/<pid>/smaps_rollup: what is shared is divided among those who share it. */
export function readPssMb(text: string): number {
  return (Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) * 1_024) / 1e6;
}
