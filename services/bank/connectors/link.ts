import type { Clock } from "../../_runtime/clock.ts";
import type { Log } from "../../_runtime/log.ts";
import type { Secret } from "../../_runtime/secret.ts";
import type { Trace } from "../connector.ts";
import { CodecError, type Message } from "../iso8583/codec.ts";
import { NETWORK, NETWORK_TYPE, writeTraceNumber } from "../iso8583/dialect.ts";
import { type Connection, type Exchanged, type OnStray, openConnection, SIGNED_OFF } from "./connection.ts";
import { type BankAddress, describeAddress, describeProblem } from "./dial.ts";
import { networkElements } from "./elements.ts";
import { createGate, type Gate } from "./gate.ts";

/** A bank that one can send to at any time: a connection, signed on, watched, and made again when it is lost. */
export interface Link {
  /** Writes and sends a request; waits for a live connection first, at most CONNECT_WAIT_MS of its time. */
  exchange(write: Write, timeoutMs: number): Promise<Exchanged>;
  /** For how long there has been no live connection, in milliseconds; 0 while there is one. */
  awayMs(): number;
  /** Why there is no live connection, in words for a log; empty while there is one. */
  problem(): string;
  /** Asks the bank for an echo. */
  echo(timeoutMs: number): Promise<boolean>;
  /** Signs off and ends; later requests are not sent. */
  close(): Promise<void>;
}

/** Writes a request; it is given a trace number that is free, and the time, for one that has none of its own. */
export type Write = (fresh: Trace) => Message;

/** What a link needs. `name` is for the log. */
export interface LinkOptions {
  readonly name: string;
  readonly address: BankAddress;
  /** Element 96 of signing on, for a bank that wants it: 32 hexadecimal digits. */
  readonly password?: Secret | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * The first trace number of messages that have none of their own, 900,000 to 999,999 (the writer gives out those below). By chance unless
   * given, so that a restart does not use those of the minute before again.
   */
  readonly firstTraceNumber?: number;
}

/** Longest time to a connection that is signed on: a bank that needs longer is down. */
const CONNECT_TIMEOUT_MS = 5_000;
/** How long a request waits for a connection: enough to sit out a restart of the bank, well below the 8 s a client waits. */
const CONNECT_WAIT_MS = 3_000;
/** Waits between attempts to connect grow from the first to the second by doubling, with full jitter. */
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 1_000;
/** After so many failures the wait is the longest. A bank that has signed off is left alone for as long. */
const FAILURES_MANY = 5;
/**
 * After so long without a message from the bank, an echo asks whether it is there, and at once when a request got no answer and nothing else
 * was heard since it was sent; when nothing at all is heard in time, the connection is ended.
 */
const ECHO_INTERVAL_MS = 15_000;
const ECHO_TIMEOUT_MS = 5_000;
/** Requests on the way at once: a ninetieth of the writer's trace numbers, so that one is not used again while its first use may still be answered. */
const IN_FLIGHT_MAX = 10_000;
/** Trace numbers of our own: signing on, echoes, verifications and inquiries. Attempts have theirs from the writer, below these. */
const TRACE_NUMBER_MIN = 900_000;
const TRACE_NUMBER_MAX = 999_999;
/** Time for the bank to answer the signing off. */
const SIGN_OFF_TIMEOUT_MS = 1_000;

/** Makes a link; it connects at once, and again for as long as it is not closed. */
export function createLink(options: LinkOptions): Link {
  const { clock } = options;
  const next = createTraces(clock, options.firstTraceNumber);
  const gate = createGate(clock);
  const probe = createProbe(next);
  const stop = new AbortController();
  const running = keepConnected(options, { next, gate, probe, signal: stop.signal });

  const exchange: Link["exchange"] = async (write, timeoutMs) => {
    const startMs = clock.preciseMs();
    const connection = await gate.pass(Math.min(CONNECT_WAIT_MS, timeoutMs));
    if (connection === undefined) return { outcome: "not_sent", reason: "unreachable" };
    if (connection.inFlight() >= IN_FLIGHT_MAX) return { outcome: "not_sent", reason: "overloaded" };
    const heard = connection.received();
    const request = write(next(connection));
    const result = await connection.exchange(request, Math.max(0, timeoutMs - (clock.preciseMs() - startMs)));
    // Not a word since: it is asked whether it is there at all, and nobody waits for that.
    if (isTimeout(result) && connection.received() === heard) void probe(connection);
    return result;
  };
  return {
    exchange,
    awayMs: () => gate.shutMs(),
    problem: () => gate.problem(),
    echo: async (timeoutMs) => isGood(await exchange(networkRequest(NETWORK.echo), timeoutMs)),
    async close() {
      const connection = gate.current();
      if (connection !== undefined) await exchange(networkRequest(NETWORK.signOff), SIGN_OFF_TIMEOUT_MS);
      stop.abort();
      connection?.destroy("closed by Tripe");
      gate.end();
      await running;
    },
  };
}

type NextTrace = (connection: Connection) => Trace;

interface Keeping {
  readonly next: NextTrace;
  readonly gate: Gate;
  readonly probe: Probe;
  readonly signal: AbortSignal;
}

/** Connects, signs on, opens the gate, watches; and again, waiting longer after each failure. */
async function keepConnected(options: LinkOptions, { next, gate, probe, signal }: Keeping): Promise<void> {
  const { clock, log } = options;
  const bank = describeBank(options);
  const noteStray = createStrayLog(options);
  for (let failures = 0; !signal.aborted; ) {
    const connection = await signOn(options, next, noteStray).catch((error: unknown) => {
      const problem = describeProblem(error);
      // Said when it begins and when it changes: a bank that is away for a day is one line, not a hundred thousand.
      if (!signal.aborted && problem !== gate.problem()) log.warn("bank unreachable", { ...bank, problem });
      gate.shut(problem);
      return undefined;
    });
    if (signal.aborted) connection?.destroy("closed by Tripe");
    else if (connection !== undefined) {
      failures = 0;
      log.info("bank connected", bank);
      gate.open(connection);
      const problem = await Promise.race([connection.closed, watch(connection, probe, clock)]);
      gate.shut(problem);
      connection.destroy(problem);
      if (problem === SIGNED_OFF) failures = FAILURES_MANY;
      if (!signal.aborted) log.warn("bank connection lost", { ...bank, problem });
    }
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures++) * Math.random();
    await clock.sleep(backoffMs, signal).catch(() => undefined);
  }
}

async function signOn(
  { address, password, clock }: LinkOptions,
  next: NextTrace,
  onStray: OnStray,
): Promise<Connection> {
  const connection = await openConnection(address, { clock, timeoutMs: CONNECT_TIMEOUT_MS, onStray });
  const result = await connection.exchange(
    networkRequest(NETWORK.signOn, password)(next(connection)),
    CONNECT_TIMEOUT_MS,
  );
  if (isGood(result)) return connection;
  connection.destroy("not signed on");
  // In TLS 1.3 a bank looks at our certificate when for us the connection stands already.
  const hint = address.tls?.certFile === undefined ? "" : "; it may not trust our certificate (TRIPE_ACQUIRER_CERT)";
  throw new Error((await refusalOf(result, connection)) + (result.outcome === "answered" ? "" : hint));
}

async function refusalOf(result: Exchanged, connection: Connection): Promise<string> {
  if (result.outcome === "answered") {
    return `the bank refused to sign us on: response code ${result.message.fields[39] ?? "missing"}`;
  }
  if (result.reason !== "connection_lost") return `the bank did not answer our sign on (${result.reason})`;
  return `the connection ended before the bank signed us on: ${await connection.closed}`;
}

/**
 * Makes what is called with messages that answer no request: a late one, a second one, a foreign one, or a request that Tripe does not
 * answer. They change nothing, since a late answer's request has its outcome already and the truth is found by inquiry; how many there are
 * is what a bank is asked about. The log has nothing of them but their type and reference, since nothing else in them is known to be fit for
 * a log; of what cannot be read, the place.
 */
function createStrayLog({ log, ...options }: LinkOptions): OnStray {
  const bank = describeBank(options);
  let count = 0;
  return (stray) => {
    if (stray instanceof CodecError) {
      const { place, problem } = stray;
      log.warn("bank sent what cannot be read", { ...bank, place, problem });
      return;
    }
    count += 1;
    const { type, fields } = stray;
    log.info("bank sent an unsolicited message", { ...bank, type, bank_ref: withoutNumbers(fields[63]), count });
  };
}

/** What a log line says of a bank: the name that attempts remember it by, which says nothing of where it is, and its address. */
export function describeBank({ name, address }: Pick<LinkOptions, "name" | "address">) {
  return { bank: name, address: describeAddress(address) };
}

/** A bank may put anything where our reference should be: what is as long as a card number does not reach the log. */
function withoutNumbers(text = ""): string {
  return text.replace(/[0-9]{12,}/g, "[digits]");
}

/** Asks for an echo as soon as the bank has been silent for a while, until the connection ends. */
async function watch(connection: Connection, probe: Probe, clock: Clock): Promise<string> {
  while (connection.isWritable()) {
    const before = connection.received();
    await pause(clock, ECHO_INTERVAL_MS);
    if (connection.received() === before) await probe(connection);
  }
  return connection.closed;
}

/** Asks a bank whether it is there; one that says nothing at all meanwhile has fallen silent, and the connection is ended. */
type Probe = (connection: Connection) => Promise<void>;

/** Makes a probe that asks once at a time, however many requests want to know. */
function createProbe(next: NextTrace): Probe {
  let running: Promise<void> | undefined;
  const ask = async (connection: Connection) => {
    const before = connection.received();
    const result = await connection.exchange(networkRequest(NETWORK.echo)(next(connection)), ECHO_TIMEOUT_MS);
    if (isTimeout(result) && connection.received() === before) connection.destroy("the bank did not answer an echo");
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

function createTraces(clock: Clock, first?: number): NextTrace {
  const span = TRACE_NUMBER_MAX - TRACE_NUMBER_MIN + 1;
  let traceNumber = (first ?? TRACE_NUMBER_MIN + Math.floor(Math.random() * span)) - 1;
  return (connection) => {
    do traceNumber = traceNumber >= TRACE_NUMBER_MAX ? TRACE_NUMBER_MIN : traceNumber + 1;
    while (connection.isInUse(writeTraceNumber(traceNumber)));
    return { traceNumber, timeMs: clock.nowMs() };
  };
}

function networkRequest(code: string, password?: Secret): Write {
  return (fresh) => ({ type: NETWORK_TYPE, fields: networkElements(code, fresh, password?.reveal()) });
}

function isGood(result: Exchanged): boolean {
  return result.outcome === "answered" && result.message.fields[39] === "00";
}
