/** What of V8's CPU profile is read: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  /** µs of the machine's monotonic clock, which all processes share. */
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples?: readonly number[];
  /** µs since the sample before. */
  readonly timeDeltas?: readonly number[];
}

/** Time spent in something itself, without what it called, in µs. */
export type SelfTimes = ReadonlyMap<string, number>;

/** A process's time by package and by function; idle time is left out. */
export interface Summary {
  readonly busyUs: number;
  readonly byPackage: SelfTimes;
  readonly byFunction: SelfTimes;
}

/** What to sum: samples between two moments of the monotonic clock; `root` is the checkout's path, which names leave out. */
export interface SummaryOptions {
  readonly root: string;
  readonly fromUs: number;
  readonly toUs: number;
}

/** Sums a part of a profile. */
export function summarize(profile: CpuProfile, { root, fromUs, toUs }: SummaryOptions): Summary {
  const { nodes, startTime, samples = [], timeDeltas = [] } = profile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byPackage = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let busyUs = 0;
  let timeUs = startTime;
  samples.forEach((id, at) => {
    timeUs += timeDeltas[at] ?? 0;
    const frame = timeUs >= fromUs && timeUs < toUs ? frames.get(id) : undefined;
    // The delta behind a sample is how long it lasted; the last one has none.
    const us = Math.max(0, timeDeltas[at + 1] ?? 0);
    if (frame === undefined || frame.functionName === "(idle)") return;
    busyUs += us;
    add(byPackage, packageOf(frame, root), us);
    add(byFunction, functionOf(frame, root), us);
  });
  return { busyUs, byPackage, byFunction };
}

/** Sums several processes' times. */
export function sumTimes(all: readonly SelfTimes[]): SelfTimes {
  const sum = new Map<string, number>();
  for (const times of all) for (const [name, us] of times) add(sum, name, us);
  return sum;
}

type Frame = CpuProfile["nodes"][number]["callFrame"];

/** "@grpc/grpc-js", "services/_runtime", "edge", "node:http2", or V8's own word such as "(garbage collector)". */
export function packageOf({ functionName, url }: Frame, root: string): string {
  if (url === "") return functionName.startsWith("(") ? functionName : "(native)";
  if (url.startsWith("node:")) return `node:${url.replace(/^node:(internal\/)?/, "").split("/")[0]}`;
  const path = pathOf(url, root);
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  if (name !== undefined) return name;
  const [top = "", second] = path.split("/");
  return top === "services" && second !== undefined ? `${top}/${second}` : top;
}

/** "name file:line", with the file as the checkout has it. */
export function functionOf(frame: Frame, root: string): string {
  const { functionName, url, lineNumber } = frame;
  if (url === "") return functionName === "" ? "(native)" : functionName;
  const path = url.startsWith("node:") ? url : pathOf(url, root).replace(/.*node_modules\//, "");
  return `${functionName === "" ? "(anonymous)" : functionName} ${path}:${lineNumber + 1}`;
}

function pathOf(url: string, root: string): string {
  const path = url.replace(/^file:\/\//, "").replace(/\?.*$/, "");
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

function add(times: Map<string, number>, name: string, us: number): void {
  times.set(name, (times.get(name) ?? 0) + us);
}
