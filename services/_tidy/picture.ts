import { type CallerName, isCallerName, isServiceName, rpcsOf, type ServiceName } from "../_runtime/topology.ts";
import { type Finding, find, type Source } from "./source.ts";

// The head of the table that says who calls whom: callers down, callees across.
const TABLE_HEAD = /^\|\s*caller\b[^|]*\|.*$/m;

/**
 * Finds cells of a page's table of callers and callees that say something else than the topology: the names of one or two
 * rpcs, "x" for more, nothing for none. A page without such a table says nothing wrong.
 */
export function findFalseArrows(page: Source): Finding[] {
  const head = TABLE_HEAD.exec(page.text);
  if (head === null) return [];
  const callees = cellsOf(head[0]).slice(1);
  const findings: Finding[] = [];
  let offset = head.index + head[0].length + 1;
  for (const row of page.text.slice(offset).split("\n")) {
    if (!row.startsWith("|")) break;
    if (!/^\|[\s|:-]+\|$/.test(row)) findings.push(...findInRow({ page, offset, row, callees }));
    offset += row.length + 1;
  }
  return findings;
}

interface Row {
  readonly page: Source;
  readonly offset: number;
  readonly row: string;
  readonly callees: readonly string[];
}

function findInRow({ page, offset, row, callees }: Row): Finding[] {
  const [names = "", ...cells] = cellsOf(row);
  return names.split(/,\s*/).flatMap((caller) =>
    callees.flatMap((callee, index) => {
      if (!isCallerName(caller) || !isServiceName(callee))
        return [find(page, offset, `knows no ${caller} or ${callee}`)];
      const wanted = describeCalls(caller, callee);
      const mark = cells[index] ?? "";
      return mark === wanted ? [] : [find(page, offset, `says "${mark}" for ${caller} to ${callee}, not "${wanted}"`)];
    }),
  );
}

/** More names than these would not fit a cell. */
const NAMES_MAX = 2;

function describeCalls(caller: CallerName, callee: ServiceName): string {
  const rpcs = rpcsOf(caller, callee);
  return rpcs.length <= NAMES_MAX ? rpcs.join(", ") : "x";
}

function cellsOf(row: string): string[] {
  return row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("`", ""));
}
