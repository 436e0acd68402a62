import type { Clock } from "../../../services/_runtime/clock.ts";
import { silentLog } from "../../../services/_runtime/log.ts";
import type { Connector } from "../../../services/bank/connector.ts";
import type { Exchanged } from "../../../services/bank/connectors/connection.ts";
import { createConnectorOver } from "../../../services/bank/connectors/iso8583.ts";
import type { Link } from "../../../services/bank/connectors/link.ts";
import { decode, encode, type Message } from "../../../services/bank/iso8583/codec.ts";
import { answer } from "../../../services/bank/sandbox/answer.ts";
import { type Book, openBook } from "../../../services/bank/sandbox/book.ts";
import { createLife, type Fate, type Life } from "./fate.ts";
import type { Weather } from "./weather.ts";

/** The sandbox bank without its port: its real book, its real answers, and the simulation's time and faults. */
export interface SimulatedBank {
  /** A way to it for one life of the bank service: ISO 8583, encoded and decoded, without a socket. */
  connect(life: Life): Connector;
  /** Messages that will still have their effect, such as those that are late. */
  underWay(): number;
  close(): Promise<void>;
}

/** Opens the bank over a file of its own, which is its statement. */
export async function openSimulatedBank(fate: Fate, weather: Weather, file: string): Promise<SimulatedBank> {
  const life = createLife("the bank");
  const clock = fate.clockOf(life);
  const book = await openBook({ file, clock });
  let underWay = 0;
  const work: Work = async (what, lateMs, request) => {
    underWay += 1;
    try {
      if (lateMs > 0) await clock.sleep(lateMs);
      return await fate.turn(life, what, () => answerBytes(book, request));
    } finally {
      underWay -= 1;
    }
  };
  return {
    connect: (caller) => {
      const callerClock = fate.clockOf(caller);
      let traceNumber = 900_000;
      const exchange: Link["exchange"] = async (write, timeoutMs) => {
        traceNumber += 1;
        const request = write({ traceNumber, timeMs: callerClock.nowMs() });
        const ref = request.fields[63] ?? "";
        const exchanged = await exchangeOnce({ weather, work, clock: callerClock, request, timeoutMs });
        return fate.turn(caller, `hears from the bank of ${ref}: ${reasonOf(exchanged)}`, () => exchanged);
      };
      const link: Link = {
        exchange,
        echo: async () => true,
        close: async () => {},
        awayMs: () => 0,
        problem: () => "",
      };
      return createConnectorOver(link, { name: "sandbox", address: NOWHERE, clock: callerClock, log: silentLog });
    },
    underWay: () => underWay,
    close: () => book.close(),
  };
}

/** The bank is in this process, and the log is silent. */
const NOWHERE = { host: "localhost", port: 0 };

type Work = (what: string, lateMs: number, request: Message) => Promise<Message | undefined>;

/** What comes of one message: the fault model of sandbox/server.ts, message by message instead of byte by byte. */
async function exchangeOnce(from: {
  weather: Weather;
  work: Work;
  clock: Clock;
  request: Message;
  timeoutMs: number;
}): Promise<Exchanged> {
  const { weather, work, clock, request, timeoutMs } = from;
  if (weather.isBankAway()) return { outcome: "not_sent", reason: "unreachable" };
  const fault = weather.bankFault();
  const kind = fault?.kind;
  const lateMs = fault?.lateMs ?? 0;
  const what = `answers ${request.type} ${request.fields[63] ?? ""}${kind === undefined ? "" : `, ${kind}`}`;
  const answering = kind === "drop" ? NEVER : work(what, kind === "delay" ? lateMs : 0, request);
  const heard = answering.then(async (message): Promise<Exchanged> => {
    if (kind === "late") await clock.sleep(lateMs);
    if (kind === "lose" || message === undefined) return NEVER;
    if (kind === "reset") return { outcome: "unknown", reason: "connection_lost" };
    if (kind === "malformed") return { outcome: "unknown", reason: "unparsable" };
    const fields = kind === "echo" ? { ...message.fields, 63: "somebody-else" } : message.fields;
    return { outcome: "answered", request, message: { ...message, fields } };
  });
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(() => resolve({ outcome: "unknown", reason: "timeout" }), timeoutMs);
    heard.then(resolve, reject).finally(cancel);
  });
}

const NEVER = new Promise<never>(() => undefined);

/** The bank hears bytes, and answers with bytes. */
async function answerBytes(book: Book, request: Message): Promise<Message | undefined> {
  const message = await answer(book, decode(encode(request)));
  return message && decode(encode(message));
}

function reasonOf(exchanged: Exchanged): string {
  return exchanged.outcome === "answered" ? `code ${exchanged.message.fields[39]}` : exchanged.reason;
}
