import { Code } from "@connectrpc/connect";
import { DeliveryState, MailResult } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { isAddress } from "../_runtime/email-address.ts";
import { refuse } from "../_runtime/errors.ts";
import type { Carrier, Fate } from "./carrier.ts";
import { compose, type Mail, messageIdOf } from "./compose.ts";

/** What every mail of a request is sent with. */
export interface Order {
  readonly accountId: string;
  readonly requestId: string;
  readonly recipients: readonly string[];
}

/** What became of a mail. */
export interface Sent {
  /** The Message-ID, without its angle brackets. */
  readonly messageId: string;
  /** One entry a recipient, in the order asked for. */
  readonly deliveries: Fate[];
  /** What is left to do for the mail as a whole. */
  readonly result: MailResult;
}

/** The call that asks, as far as sending goes by it. */
export interface Asker {
  readonly signal: AbortSignal;
  /** Milliseconds left until nobody waits any more; undefined when somebody waits for ever. */
  timeoutMs(): number | undefined;
}

/** Sends one logical mail. Refuses with MAILER_BUSY when too many are on their way. */
export type Send = (mail: Mail, order: Order, asker: Asker) => Promise<Sent>;

// Two minutes of work for five connections at a mail server that takes half a second for each.
const UNDERWAY_MAX = 1_000;
// When nobody says less: the mailer's rpcs are given 15 s.
const TIME_LIMIT_MS = 15_000;
// What is kept of the caller's time, so that it hears UNKNOWN or POSTPONED from us instead of nothing.
const RESERVE_MS = 500;

/** Makes a sender over a carrier. */
export function createSender({ carrier, clock }: { carrier: Carrier; clock: Clock }): Send {
  let underwayCount = 0;
  return async (mail, order, asker) => {
    if (underwayCount >= UNDERWAY_MAX) {
      refuse(Code.ResourceExhausted, "MAILER_BUSY", "too many mails are on their way; try later");
    }
    underwayCount += 1;
    try {
      return await send({ carrier, clock, mail, order, asker });
    } finally {
      underwayCount -= 1;
    }
  };
}

interface Sending {
  readonly carrier: Carrier;
  readonly clock: Clock;
  readonly mail: Mail;
  readonly order: Order;
  readonly asker: Asker;
}

async function send({ carrier, clock, mail, order, asker }: Sending): Promise<Sent> {
  const messageId = messageIdOf(order);
  const to = [...new Set(order.recipients)].filter(isAddress);
  const composed = await compose(mail, messageId, to);
  const limit = new AbortController();
  const limitMs = Math.min(TIME_LIMIT_MS, (asker.timeoutMs() ?? TIME_LIMIT_MS) - RESERVE_MS);
  const cancel = clock.setTimer(() => limit.abort(new Error("the mail server took too long")), limitMs);
  try {
    const signal = AbortSignal.any([limit.signal, asker.signal]);
    const fates = to.length === 0 ? [] : await carrier.carry(composed, signal);
    const deliveries = order.recipients.map((recipient) => fateOf(recipient, fates));
    return { messageId, deliveries, result: resultOf(deliveries) };
  } finally {
    cancel();
  }
}

function fateOf(recipient: string, fates: readonly Fate[]): Fate {
  const fate = fates.find((one) => one.recipient === recipient);
  return fate ?? { recipient, state: DeliveryState.FAILED, reply: "not an email address" };
}

/** One that may have been taken counts as sent, and so does one that some recipients have: better one mail than two. */
function resultOf(deliveries: readonly Fate[]): MailResult {
  const states = new Set(deliveries.map(({ state }) => state));
  if (states.has(DeliveryState.ACCEPTED) || states.has(DeliveryState.UNKNOWN)) return MailResult.SENT;
  return states.has(DeliveryState.POSTPONED) ? MailResult.POSTPONED : MailResult.FAILED;
}
