import { connect } from "node:net";
import { createInterface } from "node:readline";
import { readRunningConfig } from "./_runtime/config.ts";
import { endQuietlyWithReader } from "./_runtime/quiet-pipe.ts";
import { readRunFile } from "./_runtime/run-file.ts";
import { type Command, controlPath, type Reply } from "./_supervisor/control.ts";

endQuietlyWithReader();

// npm run replace [-- <service>|edge …]
// Replaces processes of a Tripe that runs, without a failed request: another process starts from the program on disk, and once it
// serves, the former one drains and ends. Without a name all are replaced, one after the other, callees before their callers.

const config = readRunningConfig();
const running = readRunFile(config.dataDir);
if (running === undefined) fail(`no Tripe runs on ${config.dataDir}: start it (npm start)`);
else await ask(controlPath(config.runDir, running.pid), { replace: process.argv.slice(2) });

async function ask(path: string, command: Command): Promise<void> {
  const socket = connect({ path });
  let hasEnded = false;
  socket.once("error", (error) => fail(`the supervisor of this Tripe does not answer (${error.message})`));
  socket.write(`${JSON.stringify(command)}\n`);
  for await (const line of createInterface({ input: socket })) {
    const reply: Reply = JSON.parse(line);
    if ("say" in reply) process.stdout.write(`${reply.say}\n`);
    else hasEnded = true;
    if ("error" in reply) fail(reply.error);
  }
  if (!hasEnded) fail("Tripe ended meanwhile");
}

function fail(words: string): void {
  process.stderr.write(`${words}\n`);
  process.exitCode = 1;
}
