import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../_runtime/clock.ts";
import { silentLog } from "../../_runtime/log.ts";
import { createTestFolder } from "../../_runtime/testing/test-folder.ts";
import type { Connector } from "../connector.ts";
import { createIso8583Connector, type Iso8583Options } from "../connectors/iso8583.ts";
import { openBook } from "../sandbox/book.ts";
import type { Fault, NextFault } from "../sandbox/faults.ts";
import { listenSandbox, type Sandbox } from "../sandbox/server.ts";
import { readStatement, type StatementLine } from "../sandbox/statement.ts";
import { isTestPassword, testPasswordSecret } from "./password.ts";

/** A sandbox bank of a test's own, over a real file and a real port, and a connector to it; both end with the test. */
export interface SandboxBench {
  readonly connector: Connector;
  readonly sandbox: Sandbox;
  readonly file: string;
  statement(): Promise<StatementLine[]>;
  /** Makes the next request for money (or inquiry) go wrong; called more often, the ones after it too. */
  failNext(fault: Fault): void;
}

/** Starts a bank and a connector to it, over TCP or a Unix socket. `clock` is the bank's: it says how late the late are. */
export async function startSandbox(
  nextFault?: NextFault,
  clock: Clock = systemClock,
  over: "tcp" | "socket" = "tcp",
): Promise<SandboxBench> {
  const folder = await createTestFolder("tripe-bank-");
  const file = join(folder, "journal");
  const socketPath = join(folder, "bank.sock");
  const faults: Fault[] = [];
  const sandbox = await listenSandbox(
    {
      book: await openBook({ file, clock }),
      clock,
      isPassword: isTestPassword,
      nextFault: () => faults.shift() ?? nextFault?.(),
      onBroken: (error) => {
        throw error;
      },
    },
    over === "tcp" ? { host: "127.0.0.1", port: 0 } : { path: socketPath },
  );
  onTestFinished(() => sandbox.close());
  const place = { host: "127.0.0.1", port: sandbox.port };
  const address = over === "tcp" ? place : { ...place, socketPath };
  const connector = connectTo(sandbox.port, systemClock, { address });
  return {
    connector,
    sandbox,
    file,
    statement: () => collect(readStatement(file)),
    failNext: (fault) => faults.push(fault),
  };
}

/** Makes a connector to a port of this machine that ends with the test. */
export function connectTo(port: number, clock: Clock = systemClock, options: Partial<Iso8583Options> = {}): Connector {
  const address = { host: "127.0.0.1", port };
  const connector = createIso8583Connector({
    name: "sandbox",
    address,
    password: testPasswordSecret,
    clock,
    log: silentLog,
    ...options,
  });
  onTestFinished(() => connector.close());
  return connector;
}

/** Takes all of a stream. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}
