import { resolve } from "node:path";
import type { Config } from "../_runtime/config.ts";
import { describeAcquirer } from "../_runtime/config-acquirer.ts";
import { settings } from "../_runtime/config-table.ts";

/** One line of the table of what runs where. */
export interface Row {
  readonly name: string;
  readonly place: string;
  readonly pid: number | undefined;
}

/** What a person who started Tripe wants to know. */
export interface Announcement {
  readonly rows: readonly Row[];
  readonly url: string;
  /** What curl needs to reach the url from this machine, such as the certificate to trust. */
  readonly curlOptions: readonly string[];
  readonly secretKey: string;
  readonly dataDir: string;
  readonly startMs: number;
}

/** The rows of the acquirers that this Tripe connects to; none for the sandbox bank, which is a process of its own. */
export function acquirerRows({ acquirer, liveAcquirer }: Pick<Config, "acquirer" | "liveAcquirer">): Row[] {
  const rowOf = (name: string, settings: typeof acquirer): Row => ({
    name,
    place: describeAcquirer(settings),
    pid: undefined,
  });
  return [
    ...(acquirer.isSandbox ? [] : [rowOf("acquirer", acquirer)]),
    ...(liveAcquirer === undefined ? [] : [rowOf("live acquirer", liveAcquirer)]),
  ];
}

/** The words printed once Tripe answers: the table, the URL, the key, and a request that works when pasted. */
export function announce({ rows, url, curlOptions, secretKey, dataDir, startMs }: Announcement): string {
  const width = Math.max(...rows.map((row) => row.name.length));
  const placeWidth = Math.max(...rows.map((row) => row.place.length));
  const table = rows.map(
    ({ name, place, pid }) =>
      `  ${name.padEnd(width)}  ${place.padEnd(placeWidth)}  ${pid === undefined ? "" : `pid ${pid}`}`,
  );
  return [
    "",
    `Tripe is up after ${(startMs / 1000).toFixed(1)} s; everything it keeps is in ${dataDir}`,
    "",
    ...table.map((line) => line.trimEnd()),
    "",
    `  URL          ${url}`,
    `  sandbox key  ${secretKey}`,
    "",
    "  Charge 20.00 USD to a test card:",
    `  ${["curl", ...curlOptions.map(quote)].join(" ")} ${url}/v1/charges -u ${secretKey}: -d amount=2000 -d currency=usd -d source=tok_visa`,
    "",
    `  All five actions:  ${command("npm run demo", dataDir)}`,
    `  Prove the books:   ${command("npm run audit", dataDir)}`,
    "",
    "Ctrl-C ends it; nothing is lost.",
    "",
  ].join("\n");
}

/** A command that finds this Tripe when pasted into the terminal it was started from. */
function command(words: string, dataDir: string): string {
  if (dataDir === resolve(settings.TRIPE_DATA_DIR.default)) return words;
  return `TRIPE_DATA_DIR=${quote(dataDir)} ${words}`;
}

/** A word as a shell reads it. */
function quote(word: string): string {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
