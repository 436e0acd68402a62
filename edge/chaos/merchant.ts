import { systemClock } from "../../services/_runtime/clock.ts";
import { createId } from "../../services/_runtime/ids.ts";
import { SECRET_KEY, type WholeTripe } from "./whole-tripe.ts";

/** One charge that a merchant wants, and everything it was told about it. */
export interface Wish {
  readonly key: string;
  readonly amountMinor: number;
  /** The status of every answer, in order; 0 when the connection failed. */
  readonly statuses: number[];
  /** The ids of every 2xx: each was acknowledged, and is never to be lost. */
  readonly ids: string[];
}

/** A charge as the public API shows it. */
export interface ShownCharge {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a client does again under the same key: nothing came, an equal request still runs, or Tripe asks it to come back. */
const AGAIN = new Set([0, 409, 429, 503]);

/** Between two tries: a client that keeps asking, and not the whole processor. */
const PAUSE_MS = 200;

/** A killed owner costs its attempt the lease of 20 s; twice that, and the machine is busy. */
const PATIENCE_MS = 60_000;

/** No answer takes longer: the edge waits for a bank for 8 s at most. */
const ANSWER_MAX_MS = 12_000;

/** A merchant's program. */
export type Merchant = ReturnType<typeof createMerchant>;

/** A merchant's program: it charges, repeats what it has no answer for under the same key, and remembers every word. */
export function createMerchant(tripe: Pick<WholeTripe, "urls">, secretKey = SECRET_KEY) {
  const wishes: Wish[] = [];
  const faults: string[] = [];
  let asked = 0;
  const words = new Map<string, number>();
  // Amounts are told apart by everybody: by the merchant, in the books, and in the bank's statement.
  let nextAmountMinor = 1_000;

  const ask = (path: string, wish?: Wish) => {
    const urls = tripe.urls();
    asked += 1;
    return askAt(`${urls[asked % urls.length]}${path}`, { secretKey, wish, faults });
  };

  const tryOnce = async (wish: Wish): Promise<number> => {
    const { status, body } = await ask("/v1/charges", wish);
    wish.statuses.push(status);
    const said = [status, readError(body)].join(" ").trim();
    words.set(said, (words.get(said) ?? 0) + 1);
    if (status === 200) wish.ids.push(readId(body));
    return status;
  };

  return {
    wishes,
    /** What answers lacked that clients are promised, beside their status. */
    faults,
    /** How often each answer was given: its status and its error's code, or type; "0" for none. */
    words: (): string => [...words].map(([said, count]) => `${said} × ${count}`).join(", "),
    /** A charge to be asked for; nothing is sent yet. */
    wish(): Wish {
      nextAmountMinor += 1;
      const wish = { key: createId("key_"), amountMinor: nextAmountMinor, statuses: [], ids: [] };
      wishes.push(wish);
      return wish;
    },
    tryOnce,
    /** Asks, again and again under the one key, until there is an answer that stands. */
    async insist(wish: Wish): Promise<Wish> {
      const endMs = systemClock.preciseMs() + PATIENCE_MS;
      while (AGAIN.has(await tryOnce(wish))) {
        if (systemClock.preciseMs() > endMs) throw new Error(`no answer: ${wish.statuses.join(" ")}`);
        await systemClock.sleep(PAUSE_MS);
      }
      return wish;
    },
    /** Every charge that Tripe knows of. */
    async listCharges(): Promise<ShownCharge[]> {
      const charges: ShownCharge[] = [];
      for (;;) {
        const last = charges.at(-1);
        const page = await ask(`/v1/charges?limit=100${last === undefined ? "" : `&starting_after=${last.id}`}`);
        const { data, has_more } = page.body as { data: ShownCharge[]; has_more: boolean };
        charges.push(...data);
        if (!has_more) return charges;
      }
    },
    ask,
  };
}

/** One request and its answer; status 0 when there was none. What the answer lacked is added to `faults`. */
async function askAt(
  url: string,
  { secretKey, wish, faults }: { secretKey: string; wish: Wish | undefined; faults: string[] },
): Promise<{ status: number; body: unknown }> {
  try {
    const answer = await fetch(url, {
      headers: {
        authorization: `Bearer ${secretKey}`,
        ...(wish && { "idempotency-key": wish.key, "content-type": "application/x-www-form-urlencoded" }),
      },
      ...(wish && { method: "POST", body: formOf(wish) }),
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
    });
    if (answer.status === 503 && answer.headers.get("retry-after") === null) faults.push("a 503 without Retry-After");
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    return { status: 0, body: { error: { code: codeOf(error) } } };
  }
}

/** Why there was no answer, such as ECONNREFUSED, or TimeoutError. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return String(read(error.cause, "code") ?? error.name);
}

/** A wish as the body of its request. */
export function formOf({ key, amountMinor }: Wish): string {
  return new URLSearchParams({
    amount: String(amountMinor),
    currency: "usd",
    source: "tok_visa",
    "metadata[key]": key,
  }).toString();
}

function readId(body: unknown): string {
  const id = read(body, "id");
  return typeof id === "string" ? id : "";
}

function readError(body: unknown): string {
  const error = read(body, "error");
  return String(read(error, "code") ?? read(error, "type") ?? "");
}

function read(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
