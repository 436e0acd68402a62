import { ConnectError } from "@connectrpc/connect";
import { systemClock as clock } from "../../services/_runtime/clock.ts";
import { codeName, refusalOf } from "../../services/_runtime/errors.ts";
import type { KeyTools } from "./api-keys.ts";
import { connectOperator } from "./operator.ts";

/** Runs a command with the operator's clients and prints what it returns, or why it failed: the exit code is then 1. */
export async function runAsOperator(command: (tools: KeyTools) => Promise<string>): Promise<void> {
  const operator = await connectOperator();
  try {
    process.stdout.write(`${await command({ clients: operator.clients, clock })}\n`);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  } finally {
    operator.close();
  }
}

function describe(error: unknown): string {
  if (!(error instanceof ConnectError)) return error instanceof Error ? error.message : String(error);
  const reason = refusalOf(error)?.reason ?? codeName(error.code);
  return `${reason}: ${error.rawMessage}`;
}
