import { AsyncLocalStorage } from "node:async_hooks";
import type { Account, ApiKey } from "../gen/tripe/billing/v1/account_pb.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import type { EdgeClients } from "./clients.ts";
import { overloaded, tooManyWrongKeys } from "./problems.ts";
import { REFUSAL_DELAY_MS } from "./rate-limiter.ts";

/** An API key that somebody has, and its account. */
export interface FoundKey {
  readonly account?: Account | undefined;
  readonly apiKey?: ApiKey | undefined;
}

/** What keys are read with. */
export type KeyReader = Pick<EdgeClients["reader"], "findApiKeys" | "getApiKey">;

// As many as the contract takes (reader.FindApiKeys). 256 looks into one index cost the database about a millisecond.
const BATCH_MAX = 256;

// Four batches: some tens of milliseconds. Whoever would wait longer is refused, and comes again.
const WAITING_MAX = 1_024;

// An eighth of the places, so that no client alone keeps a stranger's first good key from being looked up.
const WAITING_OF_CLIENT_MAX = 128;

interface Waiting {
  readonly sha256: Buffer;
  readonly client: string;
  /** Does something as part of the call that asks. */
  readonly within: <T>(work: () => T) => T;
  resolve(found: FoundKey | undefined): void;
  reject(error: unknown): void;
}

/**
 * Looks up keys that were never found before, many in one read. One read at a time, and after each a pause as long as the read
 * was: a search takes half of one connection's time of the reader at most, however many keys it tries.
 */
export function createKeyBatches({ reader, clock }: { reader: KeyReader; clock: Clock }) {
  const waiting: Waiting[] = [];
  const byClient = new Map<string, number>();
  let isReading = false;
  const count = (client: string, change: number) => {
    const next = (byClient.get(client) ?? 0) + change;
    if (next === 0) byClient.delete(client);
    else byClient.set(client, next);
  };
  const readAll = async () => {
    isReading = true;
    // What arrives in the same turn goes into the same batch.
    await null;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH_MAX);
      const startMs = clock.preciseMs();
      await answer(reader, batch);
      for (const { client } of batch) count(client, -1);
      if (waiting.length > 0) await clock.sleep(clock.preciseMs() - startMs);
    }
    isReading = false;
  };
  return {
    /** Finds a key; throws a Problem, late, when too many wait, of this client or of all. */
    async find(sha256: Buffer, client: string): Promise<FoundKey | undefined> {
      const isClientFull = (byClient.get(client) ?? 0) >= WAITING_OF_CLIENT_MAX;
      if (isClientFull || waiting.length >= WAITING_MAX) {
        await clock.sleep(REFUSAL_DELAY_MS);
        throw isClientFull ? tooManyWrongKeys() : overloaded();
      }
      count(client, 1);
      const { promise, resolve, reject } = Promise.withResolvers<FoundKey | undefined>();
      waiting.push({ sha256, client, within: AsyncLocalStorage.snapshot(), resolve, reject });
      if (!isReading) void readAll();
      return promise;
    },
  };
}

/** Reads one batch, as part of the call that waits for longest, and answers all in it, also when the read fails. */
async function answer(reader: KeyReader, batch: readonly Waiting[]): Promise<void> {
  const keySha256s = batch.map(({ sha256 }) => sha256);
  try {
    const { foundApiKeys } = (await batch[0]?.within(() => reader.findApiKeys({ keySha256s }))) ?? { foundApiKeys: [] };
    const found = new Map(foundApiKeys.map((key) => [Buffer.from(key.keySha256).toString("base64"), key]));
    for (const { sha256, resolve } of batch) resolve(found.get(sha256.toString("base64")));
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
