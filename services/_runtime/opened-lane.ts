import { Code, ConnectError } from "@connectrpc/connect";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { type CarryResponse, CarryResponseSchema, type LaneCall } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { encodeRequest } from "./lane-encoding.ts";
import { decodeMessage, LANE_CALLS_MAX, LANE_MESSAGE_MAX_BYTES } from "./lane-messages.ts";
import type { PendingCall } from "./pending-call.ts";
import { isUnread, markUnread } from "./service-transport.ts";

/** The stream of a lane, on the side that calls. */
export type OpenedStream = ClientDuplexStream<Buffer, Buffer>;

/** What the holder of a lane is told. */
export interface LaneEvents {
  /** There is room for more. */
  onRoom(): void;
  /** The lane takes no more calls; these were not read, and may go elsewhere. */
  onRetired(unread: readonly PendingCall[]): void;
  /** The lane has ended, with that status; undefined when it has ended well. */
  onEnd(code: Code | undefined): void;
}

/** Reads what a stream of grpc-js has failed with. */
export type ReadFailure = (failure: unknown) => ConnectError;

// Ids of cancelled calls in a message, and the room that they take at the most.
const CANCELS_MAX = 128;
const CANCELS_MAX_BYTES = 1_024;

// The largest number that a frame may hold, 24 days.
const TIMEOUT_MAX_MS = 2_147_483_647;

/** The largest call that a message takes beside everything else in it, in bytes. */
export const LANE_CALL_MAX_BYTES = LANE_MESSAGE_MAX_BYTES - CANCELS_MAX_BYTES;

/** A lane, on the side that calls. */
export class OpenedLane {
  readonly #stream: OpenedStream;
  readonly #events: LaneEvents;
  readonly #readFailure: ReadFailure;
  readonly #pending = new Map<number, PendingCall>();
  readonly #cancelledIds: number[] = [];
  #lastId = 0;
  #isBlocked = false;
  #isRetired = false;
  #failure: ConnectError | undefined = undefined;

  constructor(stream: OpenedStream, from: { events: LaneEvents; readFailure: ReadFailure }) {
    this.#stream = stream;
    this.#events = from.events;
    this.#readFailure = from.readFailure;
    stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    stream.on("drain", () => {
      this.#isBlocked = false;
      this.#events.onRoom();
    });
    // Its answers come first: they are read when "end" comes.
    stream.on("error", (error) => {
      this.#failure ??= this.#readFailure(error);
    });
    stream.on("end", () => this.#end());
  }

  /** Calls that are unanswered. */
  get load(): number {
    return this.#pending.size;
  }

  get hasRoom(): boolean {
    return !this.#isRetired && !this.#isBlocked && this.#pending.size < LANE_CALLS_MAX;
  }

  get hasCancels(): boolean {
    return this.#cancelledIds.length > 0 && this.#pending.size > 0 && !this.#isBlocked;
  }

  /** Sends one message with as many of the waiting calls as it takes, and takes those out of the set. */
  send(waiting: Set<PendingCall>): void {
    const calls: LaneCall[] = [];
    let roomBytes = LANE_CALL_MAX_BYTES;
    for (const call of waiting) {
      if (call.bytes > roomBytes || this.#pending.size >= LANE_CALLS_MAX || this.#isRetired) break;
      roomBytes -= call.bytes;
      waiting.delete(call);
      calls.push(this.#number(call));
    }
    const cancelledIds = this.#cancelledIds.splice(0, CANCELS_MAX);
    this.#isBlocked = !this.#stream.write(encodeRequest({ calls, cancelledIds }));
  }

  /** Says that nobody waits for a call any more, with the next message; false when it is not in this lane. */
  cancel(call: PendingCall): boolean {
    if (this.#pending.get(call.frame.id) !== call) return false;
    this.#cancelledIds.push(call.frame.id);
    return true;
  }

  /** Takes no more calls; ends when the last of its calls is answered. */
  retire(): void {
    this.#isRetired = true;
    if (this.#pending.size === 0) this.#stream.end();
  }

  #number(call: PendingCall): LaneCall {
    this.#lastId += 1;
    call.frame.id = this.#lastId;
    this.#pending.set(call.frame.id, call);
    const restMs = call.restMs();
    if (restMs !== undefined) call.frame.timeoutMs = Math.min(TIMEOUT_MAX_MS, Math.ceil(restMs));
    return call.frame;
  }

  #receive(bytes: Buffer): void {
    try {
      this.#read(decodeMessage(CarryResponseSchema, bytes));
    } catch (error) {
      const what = "the service broke the contract of its lane";
      this.#failure = new ConnectError(what, Code.Unavailable, undefined, undefined, error);
      this.#stream.cancel();
    }
  }

  #read({ answers, lastId }: CarryResponse): void {
    for (const answer of answers) {
      const call = this.#pending.get(answer.id);
      if (call === undefined) throw new Error(`nothing waits for answer ${answer.id}`);
      if (!answer.isPartial) this.#pending.delete(answer.id);
      call.receive(answer);
    }
    if (lastId !== undefined) this.#events.onRetired(this.#takeAfter(lastId));
    if (lastId !== undefined || (this.#isRetired && this.#pending.size === 0)) this.retire();
    if (!this.#isRetired) this.#events.onRoom();
  }

  #takeAfter(lastId: number): PendingCall[] {
    const unread = [...this.#pending.values()].filter(({ frame }) => frame.id > lastId);
    for (const { frame } of unread) this.#pending.delete(frame.id);
    return unread.filter(({ isSettled }) => !isSettled);
  }

  #end(): void {
    this.#isRetired = true;
    this.#stream.end();
    for (const call of this.#pending.values()) call.fail(failureOf(this.#failure));
    this.#pending.clear();
    this.#events.onEnd(this.#failure?.code);
  }
}

// Of a call that a lane has left unanswered: whoever may not open a lane may not call either; else the service may have read the call,
// unless its failure is marked.
function failureOf(failure: ConnectError | undefined): ConnectError {
  if (failure === undefined) return new ConnectError("the lane ended before its calls", Code.Unavailable);
  const { code, rawMessage } = failure;
  if (code === Code.Unauthenticated || code === Code.PermissionDenied) return failure;
  const error = new ConnectError(rawMessage, Code.Unavailable);
  return isUnread(failure) || code === Code.Unimplemented ? markUnread(error) : error;
}
