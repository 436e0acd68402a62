/** What a caller says of a call. In one process it is handed over as it is; between processes it travels as metadata. */
export interface CallFacts {
  /** The public request that the call belongs to; undefined when its caller names none. */
  readonly requestId: string | undefined;
  /** The Idempotency-Key of that request, possibly empty; undefined when no public request caused the call. */
  readonly clientKey: string | undefined;
  /** 32 hexadecimal digits; undefined when the caller begins no trace. */
  readonly traceId: string | undefined;
  /** The span of this call, 16 hexadecimal digits; undefined when the caller leaves it to the server. */
  readonly spanId: string | undefined;
  /** The span of the work that makes the call; empty at the root. */
  readonly parentId: string;
  /** Whether the caller wants the spans of the calls made on its behalf. */
  readonly wantsTiming: boolean;
}

/** Of a call whose caller says nothing, as a program of a person's own. */
export const noFacts: CallFacts = {
  requestId: undefined,
  clientKey: undefined,
  traceId: undefined,
  spanId: undefined,
  parentId: "",
  wantsTiming: false,
};
