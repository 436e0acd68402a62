import { type SelfTimes, type Summary, sumTimes } from "./profile-summary.ts";

/** A profiled process: what it sampled, and the CPU that the kernel counted for it in the same window. */
export interface ProfiledProcess {
  readonly name: string;
  readonly summary: Summary;
  readonly cpuMs: number;
}

/** Lines of each list: what is below is noise at 20,000 samples. */
const LINES = 15;

/**
 * The profile of one process. Samples are time on the wall: on a busy machine they count the waiting for a core too. The µs of a
 * line are therefore its share of the samples, times the CPU that the kernel counted.
 */
export function describeProcess(one: ProfiledProcess, operations: number): string {
  const { name, summary } = one;
  const [cpuUs, sampledUs] = [(one.cpuMs * 1_000) / operations, summary.busyUs / operations];
  const head = `${name}: ${cpuUs.toFixed(0)} µs of CPU an operation (${sampledUs.toFixed(0)} sampled)`;
  return [head, ...[summary.byPackage, summary.byFunction].map((times) => listTop(inCpu(one, times), operations))].join(
    "\n\n",
  );
}

/** All processes together, by package. */
export function describeSum(processes: readonly ProfiledProcess[], operations: number): string {
  return listTop(sumTimes(processes.map((one) => inCpu(one, one.summary.byPackage))), operations);
}

/** The largest of some times: µs an operation, share of their sum, name. */
export function listTop(times: SelfTimes, operations: number): string {
  const sumUs = [...times.values()].reduce((sum, us) => sum + us, 0);
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, LINES)
    .map(([name, us]) => {
      const [each, share] = [(us / operations).toFixed(1), ((us / sumUs) * 100).toFixed(1)];
      return `  ${each.padStart(8)} µs  ${share.padStart(5)} %  ${name}`;
    })
    .join("\n");
}

function inCpu({ summary, cpuMs }: ProfiledProcess, times: SelfTimes): SelfTimes {
  const factor = summary.busyUs === 0 ? 0 : (cpuMs * 1_000) / summary.busyUs;
  return new Map([...times].map(([name, us]) => [name, us * factor]));
}
