import { spawn } from "node:child_process";
import { createEnvironment } from "../_runtime/config.ts";
import { BackupRefusal } from "./refusal.ts";

/** Of Postgres' own programs, from the machine: the newest of each writes and reads what older servers have. */
type Program = "pg_dump" | "pg_restore";

/** Writes the schema `tripe` as one consistent moment has it: that of an exported snapshot, or of the beginning. */
export async function dumpDatabase({
  url,
  file,
  snapshot,
}: {
  url: string;
  file: string;
  snapshot: string;
}): Promise<void> {
  const options = ["--format=custom", "--schema=tripe", "--no-owner", "--no-privileges", `--snapshot=${snapshot}`];
  await runProgram("pg_dump", url, [...options, `--file=${file}`]);
}

/** Writes what `dumpDatabase` wrote to a database that has no schema `tripe`: whole, or not at all. */
export async function restoreDump({ url, file }: { url: string; file: string }): Promise<void> {
  const options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"];
  await runProgram("pg_restore", url, [...options, file]);
}

/** Refuses a machine without the program, or with one that is older than the server. */
export async function assertProgram(program: Program, serverMajor: number): Promise<void> {
  const { code, output } = await run(program, ["--version"], {});
  const major = Number(/ (\d+)[.\d]*/.exec(output)?.[1]);
  if (code === undefined) {
    throw new BackupRefusal(
      `${program} is not on this machine: install Postgres' client programs, version ${serverMajor} or newer`,
    );
  }
  if (!(major >= serverMajor)) {
    throw new BackupRefusal(
      `${program} is of Postgres ${major}, and the server of Postgres ${serverMajor}: install one as new as the server`,
    );
  }
}

async function runProgram(program: Program, url: string, options: readonly string[]): Promise<void> {
  const { address, environment } = splitPassword(url);
  const { code, output } = await run(program, [...options, `--dbname=${address}`], environment);
  if (code !== 0) throw new BackupRefusal(`${program} failed: ${output.trim().split("\n").at(-1) ?? ""}`);
}

/** Other users of the machine see a program's arguments; its environment they do not. */
function splitPassword(url: string): { address: string; environment: Record<string, string> } {
  const address = new URL(url);
  const password = decodeURIComponent(address.password);
  address.password = "";
  return { address: address.href, environment: password === "" ? {} : { PGPASSWORD: password } };
}

/** The code is undefined when there is no such program. */
function run(
  program: Program,
  options: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ code: number | undefined; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, options, { env: createEnvironment(environment), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString("utf8");
      });
    }
    child.once("error", () => resolve({ code: undefined, output }));
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
