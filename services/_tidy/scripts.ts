import { type Finding, find, type Source } from "./source.ts";

/** Finds commands that a page tells a reader to run and that package.json does not have. */
export function findUnknownScripts(page: Source, scripts: Readonly<Record<string, string>>): Finding[] {
  return Array.from(page.text.matchAll(/\bnpm run ([\w:-]+)/g)).flatMap((match) => {
    const [, name = ""] = match;
    return Object.hasOwn(scripts, name)
      ? []
      : [find(page, match.index, `names the script ${name}, which is not there`)];
  });
}
