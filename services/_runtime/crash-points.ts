/** Told the name of a moment, such as "writer.BeginCharge before" or "sql begin_charge after". */
export type OnCrashPoint = (name: string) => void;

/** What a moment is about: an rpc, or a statement by its name and, when it has none of its own, its text. */
export interface PointSubject {
  readonly place: string;
  readonly name: string;
  readonly text?: string;
}

let watcher: OnCrashPoint | undefined;

/**
 * Marks a moment at which a process may die: before and after each rpc (client.ts) and each SQL statement (connect.ts), and
 * nowhere else. While nobody watches, which is always outside of tests, it costs one check.
 */
export function passCrashPoint(subject: PointSubject, moment: "before" | "after"): void {
  if (watcher !== undefined) watcher(`${nameOf(subject)} ${moment}`);
}

/** Watches every moment this process passes from now on, until the returned function is called. */
export function watchCrashPoints(onPoint: OnCrashPoint): () => void {
  watcher = onPoint;
  return () => {
    watcher = undefined;
  };
}

/** Has this process kill itself, as kill -9 does, at the nth moment it passes from now on; `onDeath` is its last word. */
export function crashAt(nth: number, onDeath: OnCrashPoint = () => {}): void {
  let passed = 0;
  watchCrashPoints((name) => {
    passed += 1;
    if (passed !== nth) return;
    onDeath(name);
    process.kill(process.pid, "SIGKILL");
    // The kernel may need a moment, in which nothing more may happen here.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}

function nameOf({ place, name, text = "" }: PointSubject): string {
  if (place !== "sql") return `${place}.${name}`;
  // Kysely's statements are named by a hash (connect-kysely.ts): what they do, and to which table, says more.
  if (name !== "" && !/^k_[0-9a-f]+$/.test(name)) return `sql ${name}`;
  const [, verb = text, table] = /^\s*(\w+)(?:.*?\b(?:from|into|update)\s+"?(\w+))?/s.exec(text) ?? [];
  return `sql ${table === undefined ? verb : `${verb} ${table}`}`;
}
