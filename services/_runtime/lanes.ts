import { Code, ConnectError } from "@connectrpc/connect";
import type { LaneAnswer, LaneCall } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import type { Clock } from "./clock.ts";
import { sizeOfCall } from "./lane-messages.ts";
import { LANE_CALL_MAX_BYTES, OpenedLane, type OpenedStream, type ReadFailure } from "./opened-lane.ts";
import { PendingCall, type PendingCallOptions } from "./pending-call.ts";
import { markUnread, type OutgoingCall } from "./service-transport.ts";

/** What `Lanes` needs. */
export interface LanesOptions {
  /** Opens a stream to the service; may throw once the transport is closed. */
  readonly open: () => OpenedStream;
  readonly readFailure: ReadFailure;
  readonly clock: Clock;
  /** The largest answer, in bytes. */
  readonly maxAnswerBytes: number;
}

// Two, so that a lane that waits for its reader, or is being replaced, holds up no call. The second is opened when the first has calls.
const LANES_MAX = 2;

// A service of before there were lanes is asked again after so long: it is about to be replaced.
const UNSERVED_MS = 10_000;

/** The lanes to one service at one address, and the calls that wait for room in one of them. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Set<OpenedLane>();
  // In retired lanes too, calls may be cancelled.
  readonly #retired = new Set<OpenedLane>();
  #waiting = new Set<PendingCall>();
  #isScheduled = false;
  #unservedUntilMs = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Calls that wait, or are unanswered. */
  get load(): number {
    let load = this.#waiting.size;
    for (const lane of this.#lanes) load += lane.load;
    return load;
  }

  /** Whether the service carries calls in lanes, as far as is known. */
  get isServed(): boolean {
    return this.#unservedUntilMs <= this.#options.clock.nowMs();
  }

  /** Whether a call fits into a message. */
  fits(frame: LaneCall): boolean {
    return sizeOfCall(frame) <= LANE_CALL_MAX_BYTES;
  }

  /** Makes a call, as soon as a lane has room. Resolves to its answer, also when that is a failure; rejects when there is none. */
  call(frame: LaneCall, call: Pick<OutgoingCall, "timeoutMs" | "cancellation">): Promise<LaneAnswer> {
    const { clock, maxAnswerBytes } = this.#options;
    const onGivenUp = this.#giveUp;
    const pending = new PendingCall(frame, { call, clock, maxAnswerBytes, onGivenUp });
    if (!pending.isSettled) {
      this.#waiting.add(pending);
      this.#schedule();
    }
    return pending.answer;
  }

  /** Lets the lanes end with their last calls. */
  close(): void {
    for (const lane of this.#lanes) {
      this.#retired.add(lane);
      lane.retire();
    }
    this.#lanes.clear();
  }

  readonly #giveUp: PendingCallOptions["onGivenUp"] = (call, why) => {
    if (this.#waiting.delete(call) || why === Code.DeadlineExceeded) return;
    if ([...this.#lanes, ...this.#retired].some((lane) => lane.cancel(call))) this.#schedule();
  };

  // Once a turn of the event loop, so that what came up in it shares a message.
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    while (this.#waiting.size > 0) {
      const lane = this.#choose();
      if (lane === undefined) break;
      lane.send(this.#waiting);
    }
    for (const lane of [...this.#lanes, ...this.#retired]) while (lane.hasCancels) lane.send(new Set());
  }

  #choose(): OpenedLane | undefined {
    let chosen: OpenedLane | undefined;
    for (const lane of this.#lanes) {
      if (lane.hasRoom && (chosen === undefined || lane.load < chosen.load)) chosen = lane;
    }
    return this.#lanes.size < LANES_MAX && (chosen === undefined || chosen.load > 0) ? this.#open() : chosen;
  }

  #open(): OpenedLane | undefined {
    const { open, readFailure } = this.#options;
    let stream: OpenedStream;
    try {
      stream = open();
    } catch (error) {
      this.#failWaiting(error);
      return undefined;
    }
    const lane: OpenedLane = new OpenedLane(stream, {
      readFailure,
      events: {
        onRoom: () => {
          if (this.#waiting.size > 0) this.#schedule();
        },
        onRetired: (unread) => this.#replace(lane, unread),
        onEnd: (code) => this.#forget(lane, code),
      },
    });
    this.#lanes.add(lane);
    return lane;
  }

  #replace(lane: OpenedLane, unread: readonly PendingCall[]): void {
    this.#lanes.delete(lane);
    this.#retired.add(lane);
    // They have waited longest.
    this.#waiting = new Set([...unread, ...this.#waiting]);
    if (this.#waiting.size > 0) this.#schedule();
  }

  #forget(lane: OpenedLane, code: Code | undefined): void {
    this.#lanes.delete(lane);
    this.#retired.delete(lane);
    if (code === Code.Unimplemented) this.#unservedUntilMs = this.#options.clock.nowMs() + UNSERVED_MS;
    if (this.#waiting.size > 0) this.#schedule();
  }

  #failWaiting(error: unknown): void {
    const { message } = ConnectError.from(error);
    for (const call of this.#waiting) call.fail(markUnread(new ConnectError(message, Code.Unavailable)));
    this.#waiting.clear();
  }
}
