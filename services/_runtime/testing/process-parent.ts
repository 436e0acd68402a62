import { spawn } from "node:child_process";
import { join } from "node:path";

// A supervisor for process.test.ts, to be killed: it starts the child with a channel, and prints its id.
const child = spawn(process.execPath, [join(import.meta.dirname, "process-child.ts")], {
  stdio: ["ignore", "inherit", "inherit", "ipc"],
});
child.on("message", (message) => process.stdout.write(`${child.pid} ${JSON.stringify(message)}\n`));
