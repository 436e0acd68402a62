import { Code, ConnectError } from "@connectrpc/connect";
import type { LaneAnswer, LaneCall } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import type { Clock } from "./clock.ts";
import { deadlineWheelOf, type Expiring } from "./deadline-wheel.ts";
import { sizeOfCall } from "./lane-messages.ts";
import type { OutgoingCall } from "./service-transport.ts";

/** What a pending call needs beside its frame. */
export interface PendingCallOptions {
  readonly call: Pick<OutgoingCall, "timeoutMs" | "cancellation">;
  readonly clock: Clock;
  /** The largest answer, in bytes. */
  readonly maxAnswerBytes: number;
  /** Its caller has given it up, by cancelling it or at its deadline: which the service knows, when it has the call. */
  onGivenUp(call: PendingCall, why: Code.Canceled | Code.DeadlineExceeded): void;
}

/** A call that waits for a lane, or in a lane for its answer. */
export class PendingCall implements Expiring {
  readonly frame: LaneCall;
  /** What the frame takes in a message, at the most. */
  readonly bytes: number;
  /** Its answer, whole, also when that is a failure. Rejects with a ConnectError when it has none. */
  readonly answer: Promise<LaneAnswer>;
  readonly #options: PendingCallOptions;
  // A moment of the clock's `preciseMs`.
  readonly #deadlineMs: number | undefined;
  readonly #slot: number | undefined;
  readonly #parts: Uint8Array[] = [];
  readonly #resolve: (answer: LaneAnswer) => void;
  readonly #reject: (error: ConnectError) => void;
  #answerBytes = 0;
  #isSettled = false;

  constructor(frame: LaneCall, options: PendingCallOptions) {
    const { call, clock } = options;
    const { promise, resolve, reject } = Promise.withResolvers<LaneAnswer>();
    this.frame = frame;
    this.bytes = sizeOfCall(frame);
    this.answer = promise;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    if (call.timeoutMs !== undefined) {
      this.#deadlineMs = clock.preciseMs() + call.timeoutMs;
      this.#slot = deadlineWheelOf(clock).add(this.#deadlineMs, this);
    }
    if (call.cancellation?.isCancelled === true) this.#cancel();
    else call.cancellation?.onCancel(this.#cancel);
  }

  /** Whether its caller knows the end, or has given up: what still comes for it is dropped. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** What is left of its time, in milliseconds; undefined when its caller did not say. */
  restMs(): number | undefined {
    return this.#deadlineMs === undefined ? undefined : Math.max(0, this.#deadlineMs - this.#options.clock.preciseMs());
  }

  /** Takes its answer, or a part of it. */
  receive(answer: LaneAnswer): void {
    if (this.#isSettled) return;
    const { maxAnswerBytes } = this.#options;
    this.#answerBytes += answer.payload.length;
    if (this.#answerBytes > maxAnswerBytes) {
      this.fail(new ConnectError(`the answer is larger than ${maxAnswerBytes} bytes`, Code.ResourceExhausted));
    } else if (answer.isPartial) {
      this.#parts.push(answer.payload);
    } else {
      if (this.#parts.length > 0) answer.payload = Buffer.concat([...this.#parts, answer.payload]);
      this.#settle();
      this.#resolve(answer);
    }
  }

  /** Ends it without an answer. */
  fail(error: ConnectError): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#parts.length = 0;
    if (this.#slot !== undefined) deadlineWheelOf(this.#options.clock).remove(this.#slot, this);
    this.#options.call.cancellation?.offCancel(this.#cancel);
  }

  /** Its deadline has passed. */
  expire(): void {
    this.#giveUp(Code.DeadlineExceeded, "the deadline has passed");
  }

  readonly #cancel = (): void => this.#giveUp(Code.Canceled, "the call was cancelled");

  #giveUp(why: Code.Canceled | Code.DeadlineExceeded, message: string): void {
    this.fail(new ConnectError(message, why));
    this.#options.onGivenUp(this, why);
  }
}
