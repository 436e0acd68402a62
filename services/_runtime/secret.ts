import { inspect } from "node:util";

/** A value that shows itself to nobody who does not ask: JSON, logs, inspect and templates print "[redacted]". */
export interface Secret {
  /** Hands out the value itself. */
  reveal(): string;
  toJSON(): string;
  toString(): string;
}

const REDACTED = "[redacted]";

/** Wraps a key, a password or an address that holds one. */
export function createSecret(value: string): Secret {
  const secret = {
    reveal: () => value,
    toJSON: () => REDACTED,
    toString: () => REDACTED,
    [inspect.custom]: () => REDACTED,
  };
  return Object.freeze(secret);
}
