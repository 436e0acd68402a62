import { type Finding, find, lineAt, type Source } from "./source.ts";

// 8-style.md, point 7: aim at 100 lines a file and 12 a function; these are the end.
const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;

/** Finds a file that is too long to be read in one sitting. */
export function findLongFile(source: Source): Finding[] {
  const lines = source.text.replace(/\n$/, "").split("\n").length;
  return lines <= FILE_LINES_MAX ? [] : [`${source.path}:${lines} has ${lines} lines; ${FILE_LINES_MAX} are the end`];
}

/** Finds functions that are too long to be held in one head, those inside others counted with them. */
export function findLongFunctions(source: Source): Finding[] {
  return source.nodes.flatMap((node) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return [];
    const lines = lineAt(source.text, node.end) - lineAt(source.text, node.start) + 1;
    return lines <= FUNCTION_LINES_MAX
      ? []
      : [find(source, node, `a function of ${lines} lines; ${FUNCTION_LINES_MAX} are the end`)];
  });
}
