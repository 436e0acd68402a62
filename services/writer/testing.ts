import type { Client } from "@connectrpc/connect";
import { afterAll } from "vitest";
import { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { connectDatabase, type Database } from "../_database/connect.ts";
import { guardDatabase } from "../_database/guard.ts";
import { seed } from "../_database/seed.ts";
import { createTestDatabase, type TestDatabase } from "../_database/testing.ts";
import { type Clock, systemClock } from "../_runtime/clock.ts";
import { createDirectTransport } from "../_runtime/direct-transport.ts";
import { createHost } from "../_runtime/host.ts";
import { fixedKeys } from "../_runtime/key-files.ts";
import { silentLog } from "../_runtime/log.ts";
import { createRightfulClient } from "../_runtime/testing/rightful-client.ts";
import { createWriter } from "./service.ts";
import { createSteps, type Steps } from "./testing-steps.ts";

/** A writer on a real database of one test file's own. */
export interface TestWriter {
  readonly accountId: string;
  readonly liveAccountId: string;
  readonly urls: TestDatabase["urls"];
  /** As the writer's role: what it may not do, this may not either. */
  readonly database: Database;
  /** The writer, called as transactions calls it, and the steps that tests take with it. */
  setup(): Steps;
  /** One more writer on connections of its own, as another process has them. */
  openWriter(options?: WriterOptions): Client<typeof WriterService>;
  /** The rows of a statement run by the writer's role. */
  rows<Row>(text: string, ...values: unknown[]): Promise<Row[]>;
  /** The rows of a statement run by the owner, who may do what no service may. */
  asOwner<Row>(text: string, ...values: unknown[]): Promise<Row[]>;
}

/** How a writer is to differ from an ordinary one. */
export interface WriterOptions {
  /** What it waits by. */
  readonly clock?: Clock;
  /** What it runs its statements on; another database's url. */
  readonly url?: string;
}

/** Starts a writer for one test file, and ends it after that file's tests. */
export async function startTestWriter(): Promise<TestWriter> {
  const { urls } = await createTestDatabase();
  const fee = { basisPoints: 290, fixedMinor: 30 };
  const seeded = await seed({ ownerUrl: urls.owner, secretKey: "sk_test_writer01", fee });
  const connect = (url: string) => {
    const database = connectDatabase({ url, role: "writer", connectionsMax: 12, log: silentLog });
    afterAll(database.close);
    return database;
  };
  const openWriter = ({ clock = systemClock, url = urls.writer }: WriterOptions = {}) =>
    createWriterClient(guardDatabase(connect(url)), clock);
  const database = connect(urls.writer);
  const owner = connect(urls.owner);
  const accountId = seeded.sandboxAccountId;
  const writer = createWriterClient(guardDatabase(database), systemClock);
  return {
    accountId,
    liveAccountId: seeded.liveAccountId,
    urls,
    database,
    setup: () => createSteps(writer, accountId),
    openWriter,
    rows: (text, ...values) => database.query({ name: "", text }, values),
    asOwner: (text, ...values) => owner.query({ name: "", text }, values),
  };
}

/** The keys of webhook secrets of a writer in a test. */
export const testWebhookKeys = fixedKeys("webhook", Buffer.alloc(32, 5).toString("hex"));

/** A client of a writer on this database, over a transport that freezes what passes. */
export function createWriterClient(database: Database, clock: Clock): Client<typeof WriterService> {
  const implementation = createWriter({ database, clock, webhookKeys: testWebhookKeys });
  const services = [{ service: WriterService, implementation }];
  // Only the writer's own waiting goes by the test's clock: a call's deadline is the machine's.
  const host = createHost({ name: "writer", services, log: silentLog, clock: systemClock });
  const transport = createDirectTransport({ host: () => host, clock: systemClock, freeze: true });
  return createRightfulClient(WriterService, "writer", transport, { clock: systemClock, log: silentLog });
}
