import { Code, ConnectError } from "@connectrpc/connect";
import type { LaneAnswer, LaneCall } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import type { CancelTimer, Clock } from "./clock.ts";
import { sizeOfCall } from "./lane-messages.ts";
import type { OutgoingCall } from "./service-transport.ts";

/** What a pending call needs beside its frame. */
export interface PendingCallOptions {
  readonly call: Pick<OutgoingCall, "timeoutMs" | "cancellation">;
  readonly clock: Clock;
  /** The largest answer, in bytes. */
  readonly maxAnswerBytes: number;
  /** Its caller has given it up: the service may be told. */
  onGivenUp(call: PendingCall): void;
}

/** A call that waits for a lane, or in a lane for its answer. */
export class PendingCall {
  readonly frame: LaneCall;
  /** What the frame takes in a message, at the most. */
  readonly bytes: number;
  /** Its answer, whole, also when that is a failure. Rejects with a ConnectError when it has none. */
  readonly answer: Promise<LaneAnswer>;
  readonly #options: PendingCallOptions;
  readonly #deadlineMs: number | undefined;
  readonly #cancelTimer: CancelTimer | undefined;
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
      this.#deadlineMs = clock.nowMs() + call.timeoutMs;
      this.#cancelTimer = clock.setTimer(this.#expire, call.timeoutMs);
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
    return this.#deadlineMs === undefined ? undefined : Math.max(0, this.#deadlineMs - this.#options.clock.nowMs());
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
    this.#cancelTimer?.();
    this.#options.call.cancellation?.offCancel(this.#cancel);
  }

  readonly #cancel = (): void => this.#giveUp(new ConnectError("the call was cancelled", Code.Canceled));
  readonly #expire = (): void => this.#giveUp(new ConnectError("the deadline has passed", Code.DeadlineExceeded));

  #giveUp(error: ConnectError): void {
    this.fail(error);
    this.#options.onGivenUp(this);
  }
}
