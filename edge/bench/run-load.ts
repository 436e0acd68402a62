import { fork } from "node:child_process";
import { join } from "node:path";
import { type CpuTimes, cpuBetween } from "./cpu.ts";
import type { LoadMessage, LoadPlan, LoadResult } from "./load-plan.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";

/** A load and what a Tripe used for it in the measured window. */
export interface LoadRun extends LoadResult {
  /** Answers with status 200 a second. */
  readonly perSecond: number;
  /** CPU in µs for each of them, by process; the load generator's is "load generator". */
  readonly cpuUs: CpuTimes;
}

/** What else a load is run with. */
export interface LoadOptions {
  /** Other answers than 200 and 429 are looked for too. */
  readonly mayFail?: boolean;
  /** Called when the measured window begins, and when it ends. */
  readonly onMeasuring?: () => Promise<void>;
  readonly onMeasured?: () => Promise<void>;
}

/** 429 sheds load by plan: it is reported, never counted as done, and the connection comes back a little later. */
const PLANNED = ["200", "429"];
/** 503 is an answer that did not come in time, on a busy machine: reported too, and more of them fail the load. */
const LATE_SHARE_MAX = 0.01;

/** Runs a load on a Tripe. Rejects when anything but 200 and 429 was answered, unless that is what is looked for. */
export async function runLoad(
  tripe: MeasuredTripe,
  plan: Omit<LoadPlan, "port">,
  { mayFail = false, onMeasuring, onMeasured }: LoadOptions = {},
): Promise<LoadRun> {
  const hooks: (Promise<void> | undefined)[] = [];
  let [before, after]: (Promise<CpuTimes> | undefined)[] = [];
  const result = await generateLoad({ ...plan, port: tripe.port }, (message) => {
    if (message.is === "measuring") {
      before = tripe.cpu();
      hooks.push(onMeasuring?.());
    }
    if (message.is === "measured") {
      after = tripe.cpu();
      hooks.push(onMeasured?.());
    }
  });
  await Promise.all(hooks);
  const answersCount = Object.values(result.statuses).reduce((sum, count) => sum + count, 0);
  const others = Object.entries(result.statuses).filter(
    ([status, count]) => !PLANNED.includes(status) && !(status === "503" && count < answersCount * LATE_SHARE_MAX),
  );
  if (!mayFail && others.length > 0)
    throw new Error(`answered ${JSON.stringify(result.statuses)}, not only ${PLANNED.join(" and ")}`);
  if (result.okCount === 0) throw new Error("no answer with status 200");
  if (before === undefined || after === undefined) throw new Error("the load generator skipped a message");
  const used = new Map(cpuBetween(await before, await after)).set("load generator", result.generatorCpuMs);
  const cpuUs = new Map([...used].map(([name, ms]) => [name, (ms * 1_000) / result.okCount]));
  return { ...result, perSecond: result.okCount / result.seconds, cpuUs };
}

/** Runs the load generator as a process of its own. */
export function generateLoad(
  plan: LoadPlan,
  onMessage: (message: LoadMessage) => void = () => {},
): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, "load-generator.ts"), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the load generator ended with ${code} and no result`)));
    child.on("message", (message: LoadMessage) => {
      onMessage(message);
      if (message.is === "result") resolve(message.result);
    });
    child.send(plan);
  });
}
