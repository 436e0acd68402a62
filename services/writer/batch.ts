/** How commands of one kind share commits. */
export interface BatchOptions<Command, Answer> {
  /** What a command changes: two commands that share a key never run in one batch, nor in two at once. */
  keysOf(command: Command): readonly string[];
  /** Runs a batch as one commit and answers in the same order. A rejection means that nothing of it was done. */
  run(commands: readonly Command[]): Promise<readonly Answer[]>;
}

interface Waiting<Command, Answer> {
  readonly command: Command;
  readonly keys: readonly string[];
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Past this a statement's arrays grow faster than the flush they share saves: 128 and 256 were within noise of each other. */
const SIZE_MAX = 128;

/**
 * Creates natural batches: while one batch runs the next one gathers, without timers. One command alone is a batch of one. A
 * batch that is refused as a whole runs again one by one, so that an error reaches only the command that caused it. A command
 * is answered after COMMIT, never before.
 */
export function createBatcher<Command, Answer>(
  options: BatchOptions<Command, Answer>,
): (command: Command) => Promise<Answer> {
  let waiting: Waiting<Command, Answer>[] = [];
  let isRunning = false;

  return (command) =>
    new Promise((resolve, reject) => {
      waiting.push({ command, keys: options.keysOf(command), resolve, reject });
      if (!isRunning) {
        isRunning = true;
        // After all sockets of this turn were read: each connection's callback ends its own tick, so a microtask gathers one.
        setImmediate(() => void drain());
      }
    });

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const { batch, rest } = take(waiting);
      waiting = rest;
      await runBatch(options, batch);
    }
    isRunning = false;
  }
}

function take<Command, Answer>(waiting: readonly Waiting<Command, Answer>[]) {
  const taken = new Set<string>();
  const batch: Waiting<Command, Answer>[] = [];
  const rest: Waiting<Command, Answer>[] = [];
  for (const one of waiting) {
    if (batch.length >= SIZE_MAX || one.keys.some((key) => taken.has(key))) rest.push(one);
    else batch.push(one);
    // Also the keys of those left behind: commands of one key keep their order.
    for (const key of one.keys) taken.add(key);
  }
  return { batch, rest };
}

async function runBatch<Command, Answer>(
  options: BatchOptions<Command, Answer>,
  batch: readonly Waiting<Command, Answer>[],
): Promise<void> {
  try {
    const answers = await options.run(batch.map((one) => one.command));
    if (answers.length !== batch.length) throw new Error("a batch must answer each of its commands");
    for (const [index, one] of batch.entries()) one.resolve(answers[index] as Answer);
  } catch (error) {
    if (batch.length > 1) await Promise.all(batch.map((one) => runBatch(options, [one])));
    else batch[0]?.reject(error);
  }
}
