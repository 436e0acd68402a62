import { SANDBOX_SOCKET } from "../../_runtime/config.ts";
import type { ProcessContext, Running } from "../../_runtime/process.ts";
import { claimSocket, openSocketFolder } from "../../_runtime/sockets.ts";
import { readBankDigest } from "../../_runtime/token-files.ts";
import { createPasswordCheck, digestOf } from "../../_runtime/tokens.ts";
import { openBook } from "./book.ts";
import { NO_FAULTS, parseFaults } from "./faults.ts";
import { listenSandbox } from "./server.ts";
import { statementFile } from "./statement.ts";

/** Starts the sandbox bank at its socket, or at TRIPE_SANDBOX_PORT, over its file in the data folder. Rejects when another has the file or the port. */
export async function startSandboxBank({ config, clock, log }: ProcessContext): Promise<Running> {
  const nextFault = config.bankFaults === "" ? NO_FAULTS : parseFaults(config.bankFaults);
  const { password } = config.acquirer;
  const digest = password === undefined ? await readBankDigest(config.dataDir) : digestOf(password.reveal());
  const isPassword = createPasswordCheck(digest);
  const book = await openBook({ file: statementFile(config.dataDir), clock });
  const onBroken = (error: unknown) => {
    // What is on disk is not known any more. The next start reads it, and cuts off what was never answered.
    log.error("the journal cannot be written", error);
    process.exitCode = 1;
    void log.flush().then(() => process.exit());
  };
  const options = { book, clock, nextFault, isPassword, onBroken };
  const { host, port, socketPath } = config.acquirer;
  if (socketPath === undefined) {
    const sandbox = await listenSandbox(options, { host, port });
    log.info("serving", { host, port: sandbox.port });
    return sandbox;
  }
  await openSocketFolder(config.runDir);
  const claim = claimSocket({ folder: config.runDir, name: SANDBOX_SOCKET, clock });
  const sandbox = await listenSandbox(options, { path: claim.path });
  await claim.take();
  log.info("serving", { socketPath });
  return {
    close() {
      claim.release();
      return sandbox.close();
    },
  };
}
