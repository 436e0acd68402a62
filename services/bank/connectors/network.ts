import type { Message } from "../iso8583/codec.ts";
import { firstOf, NETWORK, NETWORK_TYPE, responseTypeOf } from "../iso8583/dialect.ts";

/** A network message that the bank started, and the answer to it. */
export interface NetworkRequest {
  readonly answer: Message;
  /** Whether it signs the bank off: nothing more is to be sent on this connection. */
  readonly isSignOff: boolean;
}

/** Response codes of ISO 8583:1987: done, a kind of transaction that is not offered, a message that lacks an element. */
const DONE = "00";
const NOT_OFFERED = "12";
const FORMAT_ERROR = "30";

const OFFERED: ReadonlySet<string> = new Set(Object.values(NETWORK));

/**
 * Answers a sign on, sign off or echo of the bank, 00; another code of element 70 is answered 12, and a message without element 11 or 70
 * is answered 30. Undefined for every other message.
 */
export function readNetworkRequest({ type, fields }: Message): NetworkRequest | undefined {
  if (firstOf(type) !== NETWORK_TYPE) return undefined;
  const { 7: time, 11: traceNumber, 70: code } = fields;
  const isWhole = traceNumber !== undefined && code !== undefined;
  const responseCode = !isWhole ? FORMAT_ERROR : OFFERED.has(code) ? DONE : NOT_OFFERED;
  const repeated = {
    ...(time !== undefined && { 7: time }),
    ...(traceNumber !== undefined && { 11: traceNumber }),
    ...(code !== undefined && { 70: code }),
  };
  const answer = { type: responseTypeOf(NETWORK_TYPE) ?? "", fields: { ...repeated, 39: responseCode } };
  return { answer, isSignOff: isWhole && code === NETWORK.signOff };
}
