import { create } from "@bufbuild/protobuf";
import { type LaneAnswer, LaneAnswerSchema } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { FRAME_MAX_BYTES, LANE_CALLS_MAX, LANE_MESSAGE_MAX_BYTES, sizeOfAnswer } from "./lane-messages.ts";

/** Answers that wait to be sent. */
export interface AnswerQueue {
  /** The bytes that wait. */
  readonly bytes: number;
  readonly isEmpty: boolean;
  push(answer: LaneAnswer): void;
  /** Takes what goes into the next message: at most LANE_MESSAGE_MAX_BYTES; nothing when nothing waits that may. */
  take(withPart: boolean): LaneAnswer[];
}

// What a large answer may always take of a message, so that many small ones do not hold it up for good; it has room for all
// metadata. A larger answer is split, so that small ones do not wait for it either.
const PART_BYTES = 32_768;

/** Makes a queue in which small answers go first, in order; large ones share the rest part by part, in turn. */
export function createAnswerQueue(): AnswerQueue {
  let small: LaneAnswer[] = [];
  const large: LaneAnswer[] = [];
  let bytes = 0;
  const takeSmall = (roomBytes: number): { taken: LaneAnswer[]; restBytes: number } => {
    let restBytes = roomBytes;
    let count = 0;
    for (const answer of small) {
      const size = sizeOfAnswer(answer);
      if (size > restBytes || count === LANE_CALLS_MAX - 1) break;
      restBytes -= size;
      count += 1;
    }
    const taken = small.slice(0, count);
    small = small.slice(count);
    return { taken, restBytes };
  };
  const takePart = (roomBytes: number): LaneAnswer | undefined => {
    const answer = large.shift();
    if (answer === undefined || sizeOfAnswer(answer) <= roomBytes) return answer;
    const length = roomBytes - FRAME_MAX_BYTES;
    const payload = answer.payload.subarray(0, length);
    answer.payload = answer.payload.subarray(length);
    large.push(answer);
    return create(LaneAnswerSchema, { id: answer.id, payload, isPartial: true });
  };
  return {
    get bytes() {
      return bytes;
    },
    get isEmpty() {
      return small.length + large.length === 0;
    },
    push(answer) {
      bytes += answer.payload.length;
      (sizeOfAnswer(answer) > PART_BYTES ? large : small).push(answer);
    },
    take(withPart) {
      const reservedBytes = withPart && large.length > 0 ? PART_BYTES : 0;
      const { taken, restBytes } = takeSmall(LANE_MESSAGE_MAX_BYTES - FRAME_MAX_BYTES - reservedBytes);
      const part = reservedBytes > 0 ? takePart(restBytes + reservedBytes) : undefined;
      if (part !== undefined) taken.push(part);
      for (const { payload } of taken) bytes -= payload.length;
      return taken;
    },
  };
}
