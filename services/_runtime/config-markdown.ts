import { type Setting, type SettingReader, settingEntries } from "./config-table.ts";

/** The lines of the README between which the table stands. */
const BEGIN = "<!-- settings: written by `npm run check -- --fix` from services/_runtime/config-table.ts -->";
const END = "<!-- end of settings -->";

/** Replaces the table of settings in a page; throws when the page has no place for it. */
export function writeSettings(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page lacks the lines ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${describeSettings()}\n\n${page.slice(end)}`;
}

/** The table of settings in Markdown, a row for each setting or pattern. Those for tests alone are left out. */
export function describeSettings(): string {
  const rows = settingEntries
    .filter(([, setting]) => setting.isForTests !== true)
    .map(([name, setting]) => ({ ...setting, name: setting.pattern ?? name }));
  const first = rows.filter(({ name }, index) => rows.findIndex((row) => row.name === name) === index);
  return ["| setting | default | meaning | read by |", "|---|---|---|---|", ...first.map(describe)].join("\n");
}

function describe({ name, pattern, meaning, ...setting }: Setting & { name: string }): string {
  const words = pattern === undefined ? meaning : meaning.replace(/the \w+ service/, "that service");
  return `| \`${name}\` | ${defaultOf(setting)} | ${words} | ${readersOf(setting.readers)} |`;
}

/** The processes that do something by it: that the supervisor and the tools read a setting says nothing to a person. */
function readersOf(readers: readonly SettingReader[]): string {
  const processes = readers.filter((reader) => reader !== "supervisor" && reader !== "tools");
  // Eight services, the edge and the sandbox bank.
  if (processes.length === 10) return "all";
  if (processes.length === 0) return readers.includes("supervisor") ? "`npm start`" : "tools";
  return processes.map((reader) => (reader === "sandboxBank" ? "sandbox bank" : reader)).join(", ");
}

function defaultOf(setting: Pick<Setting, "default" | "absent">): string {
  return setting.default === undefined ? (setting.absent ?? "") : `\`${setting.default}\``;
}
