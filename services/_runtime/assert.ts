/** Stops at a bug: throws when something we hold to be always true is not. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Ends a switch over states: does not compile while a state is left, and throws when one comes from elsewhere. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: nobody handles ${JSON.stringify(value)}`);
}
