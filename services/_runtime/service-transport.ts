import type {
  DescMessage,
  DescMethodStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { CallFacts } from "./call-facts.ts";
import type { Cancellation } from "./cancellation.ts";

/** A call as it is handed to a transport: everything but its rpc and its message. */
export interface OutgoingCall {
  /** Who calls. Inside one process this is believed; between processes only what the transport proves counts, and none need be named. */
  readonly caller: string | undefined;
  readonly facts: CallFacts;
  /** How long the caller waits, in milliseconds; undefined leaves it to the server. */
  readonly timeoutMs: number | undefined;
  /** Undefined when nothing but its deadline can end the call. */
  readonly cancellation: Cancellation | undefined;
  /** Headers beside the facts, which hardly any call has. */
  readonly headers: HeadersInit | undefined;
}

/** The good end of a unary call. */
export interface TransportReply<O extends DescMessage> {
  readonly message: MessageShape<O>;
  /** The spans of the calls made on its behalf (timing.ts), when they were wanted and there are any. */
  readonly timing: string | undefined;
  /** What a handler has set; undefined when it has set none. Made when first read. */
  readonly header: Headers | undefined;
  readonly trailer: Headers | undefined;
}

/** What carries calls to one service. A failed call is a ConnectError, its spans in the metadata. */
export interface ServiceTransport {
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    call: OutgoingCall,
    input: MessageInitShape<I>,
  ): Promise<TransportReply<O>>;
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    call: OutgoingCall,
    input: AsyncIterable<MessageInitShape<I>>,
  ): Promise<StreamResponse<I, O>>;
  /** Resolves to true once calls can go out, to false when they still cannot after so many milliseconds. */
  ready(withinMs: number): Promise<boolean>;
  /** Asks the service whether it is SERVING; false when no answer comes in time. Not counted as a call. */
  isServing(withinMs: number): Promise<boolean>;
  /** Lets go of the connection. */
  close(): void;
}

const unread = new WeakSet<ConnectError>();

/** Marks a failure of which the transport knows that no server has read the call. */
export function markUnread(error: ConnectError): ConnectError {
  unread.add(error);
  return error;
}

/** Says whether it is certain that no server has read the failed call: then any call may be made again. */
export function isUnread(error: unknown): boolean {
  return error instanceof ConnectError && unread.has(error);
}

/** Reads what a caller gave as headers, as pairs of a name and a value. */
export function headerPairs(headers: HeadersInit | undefined): Iterable<[string, string]> {
  return headers === undefined ? [] : new Headers(headers).entries();
}
