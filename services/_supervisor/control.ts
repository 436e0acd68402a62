import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Log } from "../_runtime/log.ts";
import { openSocketFolder } from "../_runtime/sockets.ts";
import { type ReplaceableName, readReplaceable } from "./replaceable.ts";

/** A command to a running supervisor, as one line of JSON. */
export interface Command {
  /** What is to be replaced, in this order; empty for everything. */
  readonly replace: readonly string[];
}

/** One line of JSON of a supervisor's answer: words while it works, then either of the ends. */
export type Reply = { readonly say: string } | { readonly done: true } | { readonly error: string };

/** What listening takes. */
export interface ControlOptions {
  /** The folder of sockets, which its owner alone may enter. */
  readonly runDir: string;
  readonly log: Log;
  readonly replace: (name: ReplaceableName) => Promise<void>;
}

/** A command is some twenty words; whoever sends more means something else. */
const COMMAND_MAX_CHARS = 1_000;

/** The socket at which the supervisor of this pid takes commands. */
export function controlPath(runDir: string, pid: number): string {
  return join(runDir, `supervisor.${pid}.sock`);
}

/** Listens for commands of this user, at a socket among those of the services. Commands are carried out one after the other. */
export async function listenForCommands({ runDir, log, replace }: ControlOptions): Promise<{ close(): void }> {
  // There the sockets of a folder are not this user's alone.
  if (process.platform === "win32") return { close: () => undefined };
  await openSocketFolder(runDir);
  const path = controlPath(runDir, process.pid);
  rmSync(path, { force: true });
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).once("line", (line) => {
      last = last.then(() => carryOut(line, socket));
    });
  });
  const carryOut = async (line: string, socket: Socket) => {
    const answer = (reply: Reply) => socket.write(`${JSON.stringify(reply)}\n`);
    try {
      for (const name of readReplaceable(readCommand(line).replace)) {
        log.info("asked to replace a process", { process: name });
        await replace(name);
        answer({ say: `${name} is replaced` });
      }
      answer({ done: true });
    } catch (error) {
      answer({ error: error instanceof Error ? error.message : String(error) });
    }
    socket.end();
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return { close: () => void server.close() };
}

function readCommand(line: string): Command {
  const command: unknown = line.length > COMMAND_MAX_CHARS ? undefined : JSON.parse(line);
  const replace = typeof command === "object" && command !== null && "replace" in command ? command.replace : undefined;
  if (Array.isArray(replace)) return { replace: replace.map(String) };
  throw new Error("this Tripe knows no such command");
}
