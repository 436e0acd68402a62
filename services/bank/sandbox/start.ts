import { listenAddress } from "../../_runtime/config.ts";
import { splitHostPort } from "../../_runtime/host-port.ts";
import type { ProcessContext, Running } from "../../_runtime/process.ts";
import { openBook } from "./book.ts";
import { NO_FAULTS, parseFaults } from "./faults.ts";
import { listenSandbox } from "./server.ts";
import { statementFile } from "./statement.ts";

/** Starts the sandbox bank at PORT + 9, over its file in the data folder. Rejects when another one has the file or the port. */
export async function startSandboxBank({ config, clock, log }: ProcessContext): Promise<Running> {
  const nextFault = config.bankFaults === "" ? NO_FAULTS : parseFaults(config.bankFaults);
  const book = await openBook({ file: statementFile(config.dataDir), clock });
  const onBroken = (error: unknown) => {
    // What is on disk is not known any more. The next start reads it, and cuts off what was never answered.
    log.error("the journal cannot be written", error);
    process.exitCode = 1;
    void log.flush().then(() => process.exit());
  };
  const { host, port } = splitHostPort(listenAddress(config, "sandboxBank"));
  const sandbox = await listenSandbox({ book, clock, nextFault, onBroken }, { host, port });
  log.info("serving", { host, port: sandbox.port });
  return sandbox;
}
