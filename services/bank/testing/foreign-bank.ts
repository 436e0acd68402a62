import type { Socket } from "node:net";

// A bank that was written from services/bank/WIRE.md, as somebody else would: it shares no code with Tripe. It answers with elements
// that Tripe has no use for (15, 44), leaves out most of what it could repeat, and says of an inquiry neither amount nor currency.

/** Values of a message by their element; 0 is its type. */
export type ForeignMessage = Readonly<Record<number, string>>;

/** One thing that the bank did, or would not do. */
export interface ForeignEntry {
  readonly kind: "hold" | "purchase" | "capture" | "refund" | "reversal";
  readonly original: string;
  readonly amount: number;
  readonly currency: string;
  readonly code: string;
  readonly approval: string;
  /** Type, trace number and time of its first message. */
  readonly message: string;
}

/** What the bank keeps when it is restarted. */
export interface ForeignBooks {
  readonly entries: Map<string, ForeignEntry>;
  readonly requests: ForeignMessage[];
  /** Codes that the next captures, refunds and reversals are refused with, whatever they ask for. */
  readonly refusals: string[];
}

/** Makes empty books. */
export function createForeignBooks(): ForeignBooks {
  return { entries: new Map(), requests: [], refusals: [] };
}

/** Serves one connection, plain or TLS. `mute` says of a request that it is done and not answered. */
export function serveForeign(socket: Socket, books: ForeignBooks, mute: (request: ForeignMessage) => boolean): void {
  let buffer = "";
  socket.on("error", () => socket.destroy());
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => {
    buffer += chunk;
    for (;;) {
      const length = buffer.charCodeAt(0) * 256 + buffer.charCodeAt(1);
      if (buffer.length < 2 || buffer.length < 2 + length) return;
      const request = parse(buffer.slice(2, 2 + length));
      buffer = buffer.slice(2 + length);
      const answer = respond(request, books);
      if (mute(request)) continue;
      const text = build(answer);
      socket.write(String.fromCharCode(text.length >> 8, text.length & 255) + text, "latin1");
    }
  });
}

/** Lengths of the elements that requests have: a number is fixed, "LL" and "LLL" say how many digits of length go before. */
const SHAPES: Readonly<Record<number, number | "LL" | "LLL">> = {
  2: "LL",
  3: 6,
  4: 12,
  7: 10,
  11: 6,
  12: 6,
  13: 4,
  14: 4,
  15: 4,
  18: 4,
  22: 3,
  25: 2,
  32: "LL",
  37: 12,
  38: 6,
  39: 2,
  41: 8,
  42: 15,
  43: 40,
  44: "LL",
  48: "LLL",
  49: 3,
  61: "LLL",
  62: "LLL",
  63: "LLL",
  70: 3,
  90: 42,
};

function parse(text: string): ForeignMessage {
  const message: Record<number, string> = { 0: text.slice(0, 4) };
  const first = BigInt(`0x${text.slice(4, 20)}`);
  const isLong = first >> 63n === 1n;
  let at = isLong ? 36 : 20;
  const bits = isLong ? (first << 64n) | BigInt(`0x${text.slice(20, 36)}`) : first << 64n;
  for (let element = 2; element <= 128; element++) {
    if (((bits >> BigInt(128 - element)) & 1n) === 0n) continue;
    const shape = SHAPES[element];
    if (shape === undefined) throw new Error(`element ${element} is not one of the page`);
    const digits = typeof shape === "number" ? 0 : shape.length;
    const length = typeof shape === "number" ? shape : Number(text.slice(at, at + digits));
    message[element] = text.slice(at + digits, at + digits + length);
    at += digits + length;
  }
  if (at !== text.length) throw new Error("bytes behind the last element");
  return message;
}

function build(message: ForeignMessage): string {
  let bits = 0n;
  let body = "";
  for (let element = 2; element <= 64; element++) {
    const value = message[element];
    if (value === undefined) continue;
    const shape = SHAPES[element];
    bits |= 1n << BigInt(64 - element);
    body += (typeof shape === "string" ? String(value.length).padStart(shape.length, "0") : "") + value;
  }
  return `${message[0]}${bits.toString(16).toUpperCase().padStart(16, "0")}${body}`;
}

/** What the page says every request for money has. */
const NEEDED = [2, 3, 4, 7, 11, 12, 13, 14, 18, 22, 25, 32, 37, 41, 42, 43, 49, 63];

function respond(request: ForeignMessage, { entries, requests, refusals }: ForeignBooks): ForeignMessage {
  const type = request[0] ?? "";
  const base = { 0: `${type.slice(0, 2)}${Number(type[2]) + 1}0`, 7: request[7] ?? "", 11: request[11] ?? "" };
  if (type.startsWith("08")) return { ...base, 39: "00" };
  requests.push(request);
  const named = { ...base, 15: "1130", 37: request[37] ?? "", 44: "a word of ours", 63: request[63] ?? "" };
  const ref = request[63] ?? "";
  if (type.startsWith("06")) {
    const entry = entries.get(ref);
    if (entry === undefined) return { ...named, 39: "25" };
    return { ...named, 38: entry.approval, 39: "00", 48: `3902${entry.code}` };
  }
  if (NEEDED.some((element) => (request[element] ?? "") === "")) return { ...named, 39: "30" };
  if (Number(request[4]) === 0) {
    const isRight = request[48] === "9203123";
    return { ...named, 39: isRight ? "00" : "82", 48: `8701${isRight ? "M" : "N"}` };
  }
  const refusal = request[61] === undefined ? undefined : refusals.shift();
  const known = entries.get(ref) ?? decide(request, entries, refusal);
  entries.set(ref, known);
  return { ...named, 38: known.approval, 39: known.code, 62: String(entries.size).padStart(12, "7") };
}

function decide(
  request: ForeignMessage,
  entries: ReadonlyMap<string, ForeignEntry>,
  refusal: string | undefined,
): ForeignEntry {
  const type = `${(request[0] ?? "").slice(0, 3)}0`;
  const kind =
    type === "0100"
      ? "hold"
      : type === "0220"
        ? "capture"
        : type === "0400"
          ? "reversal"
          : request[3] === "200000"
            ? "refund"
            : "purchase";
  const original = request[61] ?? "";
  const of = { kind, original, amount: Number(request[4]), currency: request[49] ?? "" } as const;
  const message = `${type}${request[11]}${request[7]}`;
  const code = refusal ?? judge(request, of, entries);
  const approval = code === "00" ? `P${String(entries.size).padStart(5, "0")}` : "      ";
  return { ...of, code, approval, message };
}

function judge(
  request: ForeignMessage,
  { kind, original, amount }: Pick<ForeignEntry, "kind" | "original" | "amount">,
  entries: ReadonlyMap<string, ForeignEntry>,
): string {
  if (kind === "hold" || kind === "purchase") return request[2] === "4000000000009995" ? "51" : "00";
  const about = entries.get(original);
  // Found by what the networks go by, and only then by Tripe's own reference.
  if (about === undefined || request[90]?.slice(0, 20) !== about.message) return "25";
  if (about.code === "00" && request[38] !== about.approval) return "12";
  const later = [...entries.values()].filter((entry) => entry.original === original && entry.code === "00");
  const sum = (wanted: string) =>
    later.filter((entry) => entry.kind === wanted).reduce((total, entry) => total + entry.amount, 0);
  if (kind === "refund") {
    const taken = about.kind === "hold" ? sum("capture") : about.amount;
    return sum("refund") + amount > taken ? "13" : "00";
  }
  return later.length > 0 || amount > about.amount ? "12" : "00";
}
