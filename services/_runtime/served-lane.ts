import { Code, ConnectError } from "@connectrpc/connect";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { CarryRequestSchema, type LaneCall } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { type AnsweringOptions, answerLaneCall } from "./answer-lane-call.ts";
import { createAnswerQueue } from "./answer-queue.ts";
import type { Cancellation } from "./cancellation.ts";
import { toStatus } from "./grpc-status.ts";
import { encodeResponse } from "./lane-encoding.ts";
import { decodeMessage, LANE_CALLS_MAX } from "./lane-messages.ts";
import type { Log } from "./log.ts";

/** The stream of a lane, on the side that answers. */
export type ServedStream = ServerDuplexStream<Buffer, Buffer>;

// Answers that wait for a slow reader: beyond this no more calls are read until it has caught up.
const BACKLOG_MAX_BYTES = 1_048_576;

// Messages that HTTP/2 has not sent yet, at the most; and as long as a part of a large answer may join them. What is handed over cannot
// be overtaken any more: a small answer finds little before it.
const UNSENT_MAX = 16;
const UNSENT_MAX_FOR_PARTS = 2;

/** A lane, on the side that carries its calls out. */
export class ServedLane {
  readonly #stream: ServedStream;
  readonly #options: AnsweringOptions;
  readonly #log: Log;
  readonly #running = new Map<number, CallCancellation>();
  readonly #answers = createAnswerQueue();
  #lastId = 0;
  #state: "open" | "retiring" | "retired" | "broken" = "open";
  #isScheduled = false;
  #unsentCount = 0;
  #isHalfClosed = false;

  constructor(stream: ServedStream, options: AnsweringOptions, log: Log) {
    this.#stream = stream;
    this.#options = options;
    this.#log = log;
    stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    stream.on("end", () => {
      this.#isHalfClosed = true;
      this.#schedule();
    });
    stream.on("cancelled", () => this.#stop());
  }

  /** Takes no more calls, and says which was the last, so that the others may be made elsewhere. Ends once all it took are answered. */
  retire(): void {
    if (this.#state === "open") this.#state = "retiring";
    this.#schedule();
  }

  #receive(bytes: Buffer): void {
    if (this.#state === "broken") return;
    try {
      const { calls, cancelledIds } = decodeMessage(CarryRequestSchema, bytes);
      if (this.#state === "open") for (const call of calls) this.#start(call);
      for (const id of cancelledIds) this.#running.get(id)?.cancel();
    } catch (error) {
      this.#stop();
      const why = error instanceof Error ? error.message : String(error);
      this.#log.warn("a lane broke its contract", { caller: this.#options.caller, why });
      this.#stream.emit("error", toStatus(new ConnectError(why, Code.InvalidArgument)));
    }
  }

  #start(call: LaneCall): void {
    if (call.id <= this.#lastId) throw new Error("the ids of calls do not rise");
    if (this.#running.size >= LANE_CALLS_MAX) throw new Error("there are more calls than a lane may have");
    this.#lastId = call.id;
    const cancellation = new CallCancellation();
    this.#running.set(call.id, cancellation);
    answerLaneCall(call, cancellation, this.#options).then((answer) => {
      this.#running.delete(call.id);
      this.#answers.push(answer);
      this.#schedule();
    });
  }

  // Once a turn of the event loop, so that what it has answered shares a message.
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    if (this.#state === "broken") return;
    while (this.#unsentCount < UNSENT_MAX && this.#write());
    if (this.#answers.bytes > BACKLOG_MAX_BYTES) this.#stream.pause();
    else if (this.#stream.isPaused()) this.#stream.resume();
    const takesNoMore = this.#state === "retired" || this.#isHalfClosed;
    if (takesNoMore && this.#running.size === 0 && this.#answers.isEmpty) this.#stream.end();
  }

  #write(): boolean {
    const answers = this.#answers.take(this.#unsentCount < UNSENT_MAX_FOR_PARTS);
    const lastId = this.#state === "retiring" ? this.#lastId : undefined;
    if (answers.length === 0 && lastId === undefined) return false;
    if (lastId !== undefined) this.#state = "retired";
    this.#unsentCount += 1;
    this.#stream.write(encodeResponse({ answers, ...(lastId !== undefined && { lastId }) }), this.#onSent);
    return true;
  }

  readonly #onSent = (): void => {
    this.#unsentCount -= 1;
    if (!this.#answers.isEmpty) this.#schedule();
  };

  #stop(): void {
    this.#state = "broken";
    for (const cancellation of this.#running.values()) cancellation.cancel();
  }
}

class CallCancellation implements Cancellation {
  isCancelled = false;
  #listeners: Set<() => void> | undefined = undefined;

  onCancel(listener: () => void): void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  offCancel(listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  cancel(): void {
    if (this.isCancelled) return;
    this.isCancelled = true;
    for (const listener of this.#listeners ?? []) listener();
  }
}
