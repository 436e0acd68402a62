import { Agent, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { systemClock } from "../../services/_runtime/clock.ts";
import { createId } from "../../services/_runtime/ids.ts";
import { makeOpenInvoice } from "./make-invoice.ts";
import type { Bench, Phase } from "./phases.ts";
import type { WholeTripe } from "./whole-tripe.ts";

// Strangers do what they can for some seconds, beside one merchant who charges ten times a second.
// They come from the merchant's own address and from others of loopback.

const CHARGES_PER_S = 10;
const WRONG_KEYS_PER_S = 300;
const PDF_CONNECTIONS = 300;
const IDLE_SOCKETS = 2_700;

/** A charge that takes longer, and twice as long as any did alone, has been held up; on a quiet machine it takes 10 to 40 ms. */
const CHARGE_MAX_MS = 3_000;

/** The merchant's own address, and some of others. */
const addresses = ["127.0.0.1", ...Array.from({ length: 50 }, (_, at) => `127.0.1.${at + 1}`)];

/** Each flood by the word that asks for it; the size is in seconds. */
export const floods: Readonly<Record<string, Phase>> = {
  "wrong-keys": {
    row: "T48",
    sentence: `${WRONG_KEYS_PER_S} wrong keys a second, each another one, beside ${CHARGES_PER_S} charges a second, seconds`,
    size: 10,
    run: (bench, seconds) => besideCharges(bench, seconds, floodWithKeys),
  },
  "pdf-links": {
    row: "T27",
    sentence: `${PDF_CONNECTIONS} connections on one invoice's PDF beside ${CHARGES_PER_S} charges a second, seconds`,
    size: 10,
    async run(bench, seconds) {
      const path = await makeOpenInvoice(bench.tripe.url);
      await besideCharges(bench, seconds, (flood) => floodPdf(flood, path));
    },
  },
  "idle-sockets": {
    row: "T43",
    sentence: `${IDLE_SOCKETS.toLocaleString("en-US")} idle sockets beside ${CHARGES_PER_S} charges a second, seconds`,
    size: 10,
    run: (bench, seconds) => besideCharges(bench, seconds, floodWithSockets),
  },
};

interface Flood {
  readonly tripe: WholeTripe;
  readonly note: (what: string, ms: number) => void;
  isOver(): boolean;
}

/** Charges for some seconds alone, then as long beside a flood; every charge must be carried out at its first try. */
async function besideCharges(bench: Bench, seconds: number, run: (flood: Flood) => Promise<void>): Promise<void> {
  const { tripe, note, merchant } = bench;
  // The first charges of a start compile what they need.
  await chargeFor(bench, 2, "a charge of the first seconds");
  const mostMs = 2 * (await chargeFor(bench, seconds, "a charge alone"));
  let isOver = false;
  const flooding = run({ tripe, note, isOver: () => isOver });
  // What is about to be flooded is flooded already when the first charge comes.
  await systemClock.sleep(500);
  try {
    const [health, longestMs] = await Promise.all([
      tripe.health(),
      chargeFor(bench, seconds, "a charge beside the flood"),
    ]);
    if (health.status !== 200) merchant.faults.push(`/healthz said ${health.status} beside the flood`);
    if (longestMs > Math.max(CHARGE_MAX_MS, mostMs)) merchant.faults.push(`a charge took ${longestMs.toFixed(0)} ms`);
  } finally {
    isOver = true;
    await flooding;
  }
}

/** Charges ten times a second, whatever is answered, and gives the milliseconds that the longest took. */
async function chargeFor({ merchant, note }: Bench, seconds: number, what: string): Promise<number> {
  const charges: Promise<void>[] = [];
  let longestMs = 0;
  for (let count = 0; count < seconds * CHARGES_PER_S; count += 1) {
    const startMs = systemClock.preciseMs();
    const charge = merchant.tryOnce(merchant.wish()).then((status) => {
      const ms = systemClock.preciseMs() - startMs;
      note(what, ms);
      if (status !== 200) merchant.faults.push(`${what} was answered ${status}`);
      longestMs = Math.max(longestMs, ms);
    });
    charges.push(charge);
    await systemClock.sleep(1_000 / CHARGES_PER_S);
  }
  await Promise.all(charges);
  return longestMs;
}

async function floodWithKeys({ tripe, note, isOver }: Flood): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: WRONG_KEYS_PER_S * 2 });
  const answers: Promise<void>[] = [];
  const startMs = systemClock.preciseMs();
  for (let sent = 0; !isOver(); ) {
    // As many as are due by now: a busy machine sleeps for too long.
    const due = ((systemClock.preciseMs() - startMs) / 1_000) * WRONG_KEYS_PER_S;
    for (; sent < due; sent += 1) {
      // Half of them from the merchant's own address.
      const localAddress = sent % 2 === 0 ? addresses[0] : addresses[sent % addresses.length];
      const headers = { authorization: `Bearer ${createId("sk_test_")}` };
      answers.push(ask(tripe, { path: "/v1/charges", headers, localAddress, agent }, note, "a wrong key"));
    }
    await systemClock.sleep(10);
  }
  await Promise.all(answers);
  agent.destroy();
}

async function floodPdf({ tripe, note, isOver }: Flood, path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: PDF_CONNECTIONS });
  const lane = async (at: number) => {
    const localAddress = addresses[at % addresses.length];
    while (!isOver()) await ask(tripe, { path, headers: {}, localAddress, agent }, note, "a PDF");
  };
  await Promise.all(Array.from({ length: PDF_CONNECTIONS }, (_, at) => lane(at)));
  agent.destroy();
}

async function floodWithSockets({ tripe, note, isOver }: Flood): Promise<void> {
  const sockets = new Set<Socket>();
  let opened = 0;
  while (!isOver()) {
    for (; sockets.size < IDLE_SOCKETS && !isOver(); opened += 1) {
      // Three addresses hold more than all connections there are; one of them is the merchant's.
      const localAddress = addresses[opened % 3] ?? "127.0.0.1";
      const socket = connect({ host: "127.0.0.1", port: tripe.port, localAddress });
      const startMs = systemClock.preciseMs();
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => {
        sockets.delete(socket);
        note("an idle socket was open", systemClock.preciseMs() - startMs);
      });
      // Bursts of a hundred: opening thousands in one go would hold up this very program.
      if (opened % 100 === 0) await systemClock.sleep(5);
    }
    // What was closed meanwhile is opened again, once a second.
    await systemClock.sleep(1_000);
  }
  for (const socket of sockets) socket.destroy();
}

interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly localAddress: string | undefined;
  readonly agent: Agent;
}

/** One request of a stranger's; its time is kept under what was answered. */
function ask({ port }: WholeTripe, asked: Asked, note: Flood["note"], what: string): Promise<void> {
  const { path, headers, localAddress, agent } = asked;
  const startMs = systemClock.preciseMs();
  return new Promise((resolve) => {
    const end = (answer: string) => {
      note(`${what} was answered ${answer}`, systemClock.preciseMs() - startMs);
      resolve();
    };
    const options = { host: "127.0.0.1", port, path, headers, agent, ...(localAddress && { localAddress }) };
    const sent = request(options, (answer: IncomingMessage) => {
      answer.resume();
      answer.once("close", () => end(String(answer.statusCode)));
    });
    sent.once("error", () => end("with nothing"));
    sent.end();
  });
}
