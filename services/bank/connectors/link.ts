import type { Clock } from "../../_runtime/clock.ts";
import type { Log } from "../../_runtime/log.ts";
import type { Message } from "../iso8583/codec.ts";
import { NETWORK, NETWORK_TYPE, timeElements } from "../iso8583/dialect.ts";
import type { FieldValues } from "../iso8583/fields.ts";
import { type BankAddress, type Connection, type Exchanged, openConnection } from "./connection.ts";

/** A bank that one can send to at any time: a connection, signed on, watched, and made again when it is lost. */
export interface Link {
  /** Numbers, dates and sends a request; waits for the connection first, at most CONNECT_WAIT_MS of its time. */
  exchange(request: Message, timeoutMs: number): Promise<Exchanged>;
  /** Asks the bank for an echo. */
  echo(timeoutMs: number): Promise<boolean>;
  /** Signs off and ends; later requests are not sent. */
  close(): Promise<void>;
}

/** What a link needs. `name` is for the log. */
export interface LinkOptions {
  readonly name: string;
  readonly address: BankAddress;
  readonly clock: Clock;
  readonly log: Log;
}

/** Longest time to a connection that is signed on: a bank that needs longer is down. */
const CONNECT_TIMEOUT_MS = 5_000;
/** How long a request waits for a connection: enough to sit out a restart of the bank, well below the 8 s a client waits. */
const CONNECT_WAIT_MS = 3_000;
/** Waits between attempts to connect grow from the first to the second by doubling, with full jitter. */
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 1_000;
/** After so long without a message from the bank, an echo asks whether it is there; without an answer in time the connection is ended. */
const ECHO_INTERVAL_MS = 15_000;
const ECHO_TIMEOUT_MS = 5_000;
/** Requests on the way at once: a hundredth of the trace numbers, so that one is not used again while its first use may still be answered. */
const IN_FLIGHT_MAX = 10_000;
const TRACE_NUMBER_MAX = 999_999;
/** Time for the bank to answer the signing off. */
const SIGN_OFF_TIMEOUT_MS = 1_000;

/** Makes a link; it connects at once, and again for as long as it is not closed. */
export function createLink(options: LinkOptions): Link {
  const { clock } = options;
  const next = createTraceNumbers();
  const gate = createGate(clock);
  const stop = new AbortController();
  const running = keepConnected(options, { next, gate, signal: stop.signal });

  const exchange = async (request: Message, timeoutMs: number): Promise<Exchanged> => {
    const startMs = clock.preciseMs();
    const connection = gate.current() ?? (await gate.wait(Math.min(CONNECT_WAIT_MS, timeoutMs)));
    if (connection === undefined) return { outcome: "not_sent", reason: "unreachable" };
    if (connection.inFlight() >= IN_FLIGHT_MAX) return { outcome: "not_sent", reason: "overloaded" };
    const stamped = stamp(request, next(connection), clock);
    return connection.exchange(stamped, Math.max(0, timeoutMs - (clock.preciseMs() - startMs)));
  };
  return {
    exchange,
    echo: async (timeoutMs) => isGood(await exchange(networkRequest(NETWORK.echo), timeoutMs)),
    async close() {
      const connection = gate.current();
      if (connection !== undefined) await exchange(networkRequest(NETWORK.signOff), SIGN_OFF_TIMEOUT_MS);
      stop.abort();
      connection?.destroy();
      gate.shut();
      await running;
    },
  };
}

type NextTraceNumber = (connection: Connection) => string;

interface Keeping {
  readonly next: NextTraceNumber;
  readonly gate: Gate;
  readonly signal: AbortSignal;
}

/** Connects, signs on, opens the gate, watches; and again, waiting longer after each failure. */
async function keepConnected(options: LinkOptions, { next, gate, signal }: Keeping): Promise<void> {
  const { clock, log, name } = options;
  for (let failures = 0; !signal.aborted; ) {
    const connection = await signOn(options, next).catch((error: unknown) => {
      if (failures === 0) log.warn("bank unreachable", { bank: name, problem: String(error) });
      return undefined;
    });
    if (signal.aborted) connection?.destroy();
    else if (connection !== undefined) {
      failures = 0;
      log.info("bank connected", { bank: name });
      gate.open(connection);
      await Promise.race([connection.closed, watch(connection, next, clock)]);
      gate.shut();
      connection.destroy();
      if (!signal.aborted) log.warn("bank connection lost", { bank: name });
    }
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures++) * Math.random();
    await clock.sleep(backoffMs, signal).catch(() => undefined);
  }
}

async function signOn({ address, clock }: LinkOptions, next: NextTraceNumber): Promise<Connection> {
  const connection = await openConnection(address, clock, CONNECT_TIMEOUT_MS);
  const request = stamp(networkRequest(NETWORK.signOn), next(connection), clock);
  if (isGood(await connection.exchange(request, CONNECT_TIMEOUT_MS))) return connection;
  connection.destroy();
  throw new Error("The bank did not let us sign on");
}

/** Resolves when the bank has fallen silent. */
async function watch(connection: Connection, next: NextTraceNumber, clock: Clock): Promise<void> {
  for (;;) {
    const before = connection.received();
    await pause(clock, ECHO_INTERVAL_MS);
    if (connection.received() !== before) continue;
    const request = stamp(networkRequest(NETWORK.echo), next(connection), clock);
    if (!isGood(await connection.exchange(request, ECHO_TIMEOUT_MS))) return;
  }
}

/** Waits without keeping the process alive, unlike `clock.sleep`. */
function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });
}

/** Where requests wait for a connection. */
interface Gate {
  current(): Connection | undefined;
  /** Gives the connection as soon as there is one, undefined after the time. */
  wait(timeoutMs: number): Promise<Connection | undefined>;
  open(connection: Connection): void;
  shut(): void;
}

function createGate(clock: Clock): Gate {
  let connection: Connection | undefined;
  const waiting = new Set<(connection: Connection | undefined) => void>();
  return {
    current: () => connection,
    wait: (timeoutMs) =>
      new Promise((resolve) => {
        const settle = (opened: Connection | undefined) => {
          waiting.delete(settle);
          cancel();
          resolve(opened);
        };
        const cancel = clock.setTimer(() => settle(undefined), timeoutMs);
        waiting.add(settle);
      }),
    open(opened) {
      connection = opened;
      for (const settle of [...waiting]) settle(opened);
    },
    shut() {
      connection = undefined;
    },
  };
}

function createTraceNumbers(): NextTraceNumber {
  let last = 0;
  return (connection) => {
    do last = (last % TRACE_NUMBER_MAX) + 1;
    while (connection.isInUse(format(last)));
    return format(last);
  };
}

function format(traceNumber: number): string {
  return String(traceNumber).padStart(6, "0");
}

function networkRequest(code: string): Message {
  return { type: NETWORK_TYPE, fields: { 70: code } };
}

function stamp(request: Message, traceNumber: string, clock: Clock): Message {
  const fields: FieldValues = { ...request.fields, ...timeElements(clock.nowMs()), 11: traceNumber };
  return { type: request.type, fields };
}

function isGood(result: Exchanged): boolean {
  return result.outcome === "answered" && result.message.fields[39] === "00";
}
