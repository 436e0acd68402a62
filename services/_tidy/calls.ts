import { type CallerName, rpcsOf, serviceNames } from "../_runtime/topology.ts";
import { type Finding, isForTests, type Source } from "./source.ts";

/** The folder of each caller's own source. The operator's row is for people too: what they may call stands in no source. */
const folders = [
  ["edge", "edge/"],
  ["scheduler", "services/scheduler/"],
  ["transactions", "services/transactions/"],
] as const satisfies readonly (readonly [CallerName, string])[];

/** Runtime files that make calls for those who import them, with clients of theirs. */
const shared = ["services/_runtime/mail-invoice.ts"];

/** Finds rpcs that the topology lists for a caller that calls them nowhere: a right that nobody uses is a right too many. */
export function findUnusedRights(sources: readonly Source[]): Finding[] {
  return folders.flatMap(([caller, folder]) => {
    const own = sources.filter(({ path }) => path.startsWith(folder) && !isForTests(path) && !isTool(path));
    const called = sources.filter(
      ({ path }) => shared.includes(path) && own.some(({ text }) => text.includes(`/${path.split("/").at(-1)}"`)),
    );
    const words = new Set([...own, ...called].flatMap(({ text }) => text.match(/\.\w+/g) ?? []));
    return serviceNames.flatMap((callee) =>
      rpcsOf(caller, callee)
        .filter((rpc) => !words.has(`.${rpc.charAt(0).toLowerCase()}${rpc.slice(1)}`))
        .map((rpc) => `services/_runtime/topology.ts:1 lists ${callee}.${rpc} for ${caller}, which never calls it`),
    );
  });
}

/** Programs of the edge's folder that call as the operator, or as nobody. */
function isTool(path: string): boolean {
  return /^edge\/(?:tools|chaos|bench)\//.test(path);
}
