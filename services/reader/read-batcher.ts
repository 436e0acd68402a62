import { ConnectError } from "@connectrpc/connect";
import { assert } from "../_runtime/errors.ts";

/** Reads many keys by one statement; answers in the order of the keys. */
export type ReadMany<Key, Answer> = (keys: readonly Key[]) => Promise<readonly Answer[]>;

interface Waiting<Key, Answer> {
  readonly key: Key;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** The statement's arrays hold at most so many keys: as many as the edge has requests in progress. */
const KEYS_MAX = 256;

/** One for each held connection (connect.ts): a connection that stalls holds up its own batch, not those that follow. */
const IN_FLIGHT_MAX = 2;

/**
 * Batches reads. Keys of one turn of the event loop share a statement, whichever sockets they came on; while statements are
 * in flight, the next batch gathers. Each statement starts after its keys were given, so a read sees every write that was
 * answered before it. A batch that fails for a reason of its own runs again key by key, and each key fails or succeeds alone.
 */
export function createReadBatcher<Key, Answer>(readMany: ReadMany<Key, Answer>): (key: Key) => Promise<Answer> {
  const waiting: Waiting<Key, Answer>[] = [];
  let inFlightCount = 0;
  let isScheduled = false;

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      schedule();
    });

  function schedule(): void {
    if (isScheduled || inFlightCount >= IN_FLIGHT_MAX || waiting.length === 0) return;
    isScheduled = true;
    // A microtask would end the batch with the first socket's data; this runs once all sockets of the turn were read.
    setImmediate(flush);
  }

  function flush(): void {
    isScheduled = false;
    const batch = waiting.splice(0, KEYS_MAX);
    inFlightCount += 1;
    void readBatch(readMany, batch).finally(() => {
      inFlightCount -= 1;
      schedule();
    });
    schedule();
  }
}

async function readBatch<Key, Answer>(
  readMany: ReadMany<Key, Answer>,
  batch: readonly Waiting<Key, Answer>[],
): Promise<void> {
  try {
    const answers = await readMany(batch.map((one) => one.key));
    assert(answers.length === batch.length, "a batch answers each of its keys");
    for (const [index, one] of batch.entries()) one.resolve(answers[index] as Answer);
  } catch (error) {
    // A refusal (the database is away or busy) is the same for every key.
    if (batch.length === 1 || error instanceof ConnectError) for (const one of batch) one.reject(error);
    else for (const one of batch) await readBatch(readMany, [one]);
  }
}
