/** Tells whether, and when, the result of some work is of no use any more. */
export interface Cancellation {
  readonly isCancelled: boolean;
  /** Calls the listener once, at the moment of cancellation; never when that has passed already. */
  onCancel(listener: () => void): void;
  /** Takes a listener away; harmless when it is not there. */
  offCancel(listener: () => void): void;
}

/** Reads an AbortSignal as a cancellation. */
export function cancellationOf(signal: AbortSignal): Cancellation {
  return {
    get isCancelled() {
      return signal.aborted;
    },
    onCancel: (listener) => signal.addEventListener("abort", listener, { once: true }),
    offCancel: (listener) => signal.removeEventListener("abort", listener),
  };
}

/** Cancels when either does. A listener of both may be called twice. */
export function eitherCancellation(one: Cancellation, other: Cancellation): Cancellation {
  return {
    get isCancelled() {
      return one.isCancelled || other.isCancelled;
    },
    onCancel(listener) {
      one.onCancel(listener);
      other.onCancel(listener);
    },
    offCancel(listener) {
      one.offCancel(listener);
      other.offCancel(listener);
    },
  };
}
