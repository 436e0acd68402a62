import type { Clock } from "../../_runtime/clock.ts";
import type { Connection } from "./connection.ts";

/** Where requests wait for a live connection. */
export interface Gate {
  /** The connection, when there is a live one. A dying one, whose end has not been told yet, is none. */
  current(): Connection | undefined;
  /** Gives a live connection as soon as there is one; undefined when the time is over first, or the gate has ended. */
  pass(timeoutMs: number): Promise<Connection | undefined>;
  /** For how long there has been no live connection, in milliseconds; 0 while there is one. */
  shutMs(): number;
  /** Why it is shut; empty while it is open. */
  problem(): string;
  open(connection: Connection): void;
  shut(problem: string): void;
  /** Shuts for good and sends everybody away. */
  end(): void;
}

/** Makes a gate, shut. */
export function createGate(clock: Clock): Gate {
  let connection: Connection | undefined;
  let shutSinceMs = clock.preciseMs();
  let isOver = false;
  let problem = "not connected yet";
  const waiting = new Set<() => void>();
  const current = () => (connection?.isWritable() === true ? connection : undefined);
  const wait = (timeoutMs: number) =>
    new Promise<void>((resolve) => {
      const settle = () => {
        waiting.delete(settle);
        cancel();
        resolve();
      };
      const cancel = clock.setTimer(settle, timeoutMs);
      waiting.add(settle);
    });
  const settleAll = () => {
    for (const settle of [...waiting]) settle();
  };
  const shut = (why: string) => {
    if (connection !== undefined) shutSinceMs = clock.preciseMs();
    connection = undefined;
    problem = why;
  };
  return {
    current,
    async pass(timeoutMs) {
      const endMs = clock.preciseMs() + timeoutMs;
      for (;;) {
        const live = current();
        const leftMs = endMs - clock.preciseMs();
        if (live !== undefined || isOver || leftMs <= 0) return live;
        await wait(leftMs);
      }
    },
    // A dying connection is shut within moments: until then it is not called away.
    shutMs: () => (connection === undefined ? clock.preciseMs() - shutSinceMs : 0),
    problem: () => (connection === undefined ? problem : ""),
    open(opened) {
      connection = opened;
      settleAll();
    },
    shut,
    end() {
      isOver = true;
      shut("closed by Tripe");
      settleAll();
    },
  };
}
