import type { Clock } from "../../_runtime/clock.ts";
import type { Log } from "../../_runtime/log.ts";
import type { Message } from "../iso8583/codec.ts";
import { NETWORK, NETWORK_TYPE, timeElements } from "../iso8583/dialect.ts";
import type { FieldValues } from "../iso8583/fields.ts";
import { type BankAddress, type Connection, type Exchanged, type OnStray, openConnection } from "./connection.ts";
import { createGate, type Gate } from "./gate.ts";

/** A bank that one can send to at any time: a connection, signed on, watched, and made again when it is lost. */
export interface Link {
  /**
   * Numbers, dates and sends a request; waits for a live connection first, at most CONNECT_WAIT_MS of its time. `onStamped`
   * is told of the message as it goes out.
   */
  exchange(request: Message, timeoutMs: number, onStamped?: (stamped: Message) => void): Promise<Exchanged>;
  /** For how long there has been no live connection, in milliseconds; 0 while there is one. */
  awayMs(): number;
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
  /** The first trace number, 1 to 999,999. By chance unless given, so that a restart does not use those of the minute before again. */
  readonly firstTraceNumber?: number;
}

/** Longest time to a connection that is signed on: a bank that needs longer is down. */
const CONNECT_TIMEOUT_MS = 5_000;
/** How long a request waits for a connection: enough to sit out a restart of the bank, well below the 8 s a client waits. */
const CONNECT_WAIT_MS = 3_000;
/** Waits between attempts to connect grow from the first to the second by doubling, with full jitter. */
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 1_000;
/**
 * After so long without a message from the bank, an echo asks whether it is there, and at once when a request got no answer and nothing else
 * was heard since it was sent; when nothing at all is heard in time, the connection is ended.
 */
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
  const next = createTraceNumbers(options.firstTraceNumber ?? 1 + Math.floor(Math.random() * TRACE_NUMBER_MAX));
  const gate = createGate(clock);
  const probe = createProbe(next, clock);
  const stop = new AbortController();
  const running = keepConnected(options, { next, gate, probe, signal: stop.signal });

  const exchange: Link["exchange"] = async (request, timeoutMs, onStamped) => {
    const startMs = clock.preciseMs();
    const connection = await gate.pass(Math.min(CONNECT_WAIT_MS, timeoutMs));
    if (connection === undefined) return { outcome: "not_sent", reason: "unreachable" };
    if (connection.inFlight() >= IN_FLIGHT_MAX) return { outcome: "not_sent", reason: "overloaded" };
    const heard = connection.received();
    const stamped = stamp(request, next(connection), clock);
    onStamped?.(stamped);
    const result = await connection.exchange(stamped, Math.max(0, timeoutMs - (clock.preciseMs() - startMs)));
    // Not a word since: it is asked whether it is there at all, and nobody waits for that.
    if (isTimeout(result) && connection.received() === heard) void probe(connection);
    return result;
  };
  return {
    exchange,
    awayMs: () => gate.shutMs(),
    echo: async (timeoutMs) => isGood(await exchange(networkRequest(NETWORK.echo), timeoutMs)),
    async close() {
      const connection = gate.current();
      if (connection !== undefined) await exchange(networkRequest(NETWORK.signOff), SIGN_OFF_TIMEOUT_MS);
      stop.abort();
      connection?.destroy();
      gate.end();
      await running;
    },
  };
}

type NextTraceNumber = (connection: Connection) => string;

interface Keeping {
  readonly next: NextTraceNumber;
  readonly gate: Gate;
  readonly probe: Probe;
  readonly signal: AbortSignal;
}

/** Connects, signs on, opens the gate, watches; and again, waiting longer after each failure. */
async function keepConnected(options: LinkOptions, { next, gate, probe, signal }: Keeping): Promise<void> {
  const { clock, log, name } = options;
  const noteStray = createStrayLog(options);
  for (let failures = 0; !signal.aborted; ) {
    const connection = await signOn(options, next, noteStray).catch((error: unknown) => {
      if (failures === 0) log.warn("bank unreachable", { bank: name, problem: String(error) });
      return undefined;
    });
    if (signal.aborted) connection?.destroy();
    else if (connection !== undefined) {
      failures = 0;
      log.info("bank connected", { bank: name });
      gate.open(connection);
      await Promise.race([connection.closed, watch(connection, probe, clock)]);
      gate.shut();
      connection.destroy();
      if (!signal.aborted) log.warn("bank connection lost", { bank: name });
    }
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures++) * Math.random();
    await clock.sleep(backoffMs, signal).catch(() => undefined);
  }
}

async function signOn({ address, clock }: LinkOptions, next: NextTraceNumber, onStray: OnStray): Promise<Connection> {
  const connection = await openConnection(address, { clock, timeoutMs: CONNECT_TIMEOUT_MS, onStray });
  const request = stamp(networkRequest(NETWORK.signOn), next(connection), clock);
  if (isGood(await connection.exchange(request, CONNECT_TIMEOUT_MS))) return connection;
  connection.destroy();
  throw new Error("The bank did not let us sign on");
}

/**
 * Makes what is told of answers that nobody waits for: one after its time, a second one, somebody else's. They change nothing, since their
 * request has its outcome already and the truth is found by inquiry; how many there are is what a bank is asked about. The log has
 * nothing of them but their reference, since nothing else in them is known to be fit for a log.
 */
function createStrayLog({ name, log }: LinkOptions): OnStray {
  let count = 0;
  return ({ fields }) => {
    count += 1;
    log.info("bank answered what nobody waits for", { bank: name, bank_ref: fields[63] ?? "", count });
  };
}

/** Asks for an echo as soon as the bank has been silent for a while, until the connection ends. */
async function watch(connection: Connection, probe: Probe, clock: Clock): Promise<void> {
  while (connection.isWritable()) {
    const before = connection.received();
    await pause(clock, ECHO_INTERVAL_MS);
    if (connection.received() === before) await probe(connection);
  }
}

/** Asks a bank whether it is there; one that says nothing at all meanwhile has fallen silent, and the connection is ended. */
type Probe = (connection: Connection) => Promise<void>;

/** Makes a probe that asks once at a time, however many requests want to know. */
function createProbe(next: NextTraceNumber, clock: Clock): Probe {
  let running: Promise<void> | undefined;
  const ask = async (connection: Connection) => {
    const before = connection.received();
    const request = stamp(networkRequest(NETWORK.echo), next(connection), clock);
    const result = await connection.exchange(request, ECHO_TIMEOUT_MS);
    if (isTimeout(result) && connection.received() === before) connection.destroy();
  };
  return (connection) => {
    running ??= ask(connection).finally(() => {
      running = undefined;
    });
    return running;
  };
}

function isTimeout(result: Exchanged): boolean {
  return result.outcome === "unknown" && result.reason === "timeout";
}

/** Waits without keeping the process alive, unlike `clock.sleep`. */
function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });
}

function createTraceNumbers(first: number): NextTraceNumber {
  let last = first - 1;
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
