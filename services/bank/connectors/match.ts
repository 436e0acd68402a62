import type { Message } from "../iso8583/codec.ts";
import { INQUIRY_TYPE, responseTypeOf } from "../iso8583/dialect.ts";
import type { FieldNumber } from "../iso8583/fields.ts";

/**
 * Says whether a message may be the answer to a request: the type that answers it, and the same trace number. Whether it also says what it
 * must is `findMismatch`: an answer that says otherwise ends the wait for it, as unknown, since the bank will hardly send a better one.
 */
export function isAnswerTo(request: Message, answer: Message): boolean {
  return answer.type === responseTypeOf(request.type) && answer.fields[11] === request.fields[11];
}

/** What an answer repeats of its request: exactly as it was sent where it is there, and a bank may leave it out. */
const REPEATED = [3, 4, 7, 11, 32, 37, 41, 42, 49, 61, 63] as const satisfies readonly FieldNumber[];

/** What names one request among all: with the trace number, the time it was sent; alone, the retrieval reference, and our own reference. */
const NAMING: readonly FieldNumber[] = [7, 37, 63];

/** What names that which an inquiry is about. Its answer decides about money, and whether it is asked for again: the time alone is not enough. */
const NAMING_INQUIRED: readonly FieldNumber[] = [37, 63];

/**
 * Finds the element that makes an answer none to this request: one that is repeated otherwise; or, when it names no request at all, 63. A trace
 * number is used again after a while, and a late answer has it too: alone it is not enough. Undefined when all is well. Of answers to
 * network messages nothing is compared: hosts put their own time into element 7, and a late one says as well that the bank is there.
 */
export function findMismatch(request: Message, answer: Message): FieldNumber | undefined {
  const isOther = (number: FieldNumber) => {
    const [sent, found] = [request.fields[number], answer.fields[number]];
    return sent !== undefined && found !== undefined && sent !== found;
  };
  const other = REPEATED.find(isOther);
  if (other !== undefined) return other;
  const naming = request.type === INQUIRY_TYPE ? NAMING_INQUIRED : NAMING;
  const isNamed = naming.some((number) => request.fields[number] !== undefined && answer.fields[number] !== undefined);
  return isNamed ? undefined : 63;
}
