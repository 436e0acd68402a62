import type { CpuTimes } from "./cpu.ts";
import { meanOf } from "./statistics.ts";

/** CPU per charge in words: the sum without the load generator, then each process, the largest first. */
export function describeCpu(cpuUs: CpuTimes): string {
  const own = [...cpuUs].filter(([name]) => name !== "load generator");
  const sum = own.reduce((total, [, us]) => total + us, 0);
  const parts = own
    .sort(([, a], [, b]) => b - a)
    .filter(([, us]) => us >= 0.5)
    .map(([name, us]) => `${name} ${us.toFixed(0)}`);
  return `${sum.toFixed(0)} µs: ${parts.join(", ")}; load generator ${(cpuUs.get("load generator") ?? 0).toFixed(0)}`;
}

/** The mean of several runs, by process. */
export function meanCpu(runs: readonly CpuTimes[]): CpuTimes {
  const names = [...new Set(runs.flatMap((run) => [...run.keys()]))];
  return new Map(names.map((name) => [name, meanOf(runs.map((run) => run.get(name) ?? 0))]));
}
