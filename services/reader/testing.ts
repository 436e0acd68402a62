import type { Client } from "@connectrpc/connect";
import { afterAll } from "vitest";
import { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import { connectDatabase, type Database } from "../_database/connect.ts";
import { guardDatabase } from "../_database/guard.ts";
import { seed } from "../_database/seed.ts";
import { createTestDatabase } from "../_database/testing.ts";
import { systemClock as clock } from "../_runtime/clock.ts";
import { createDirectTransport } from "../_runtime/direct-transport.ts";
import { type Refusal, refusalOf } from "../_runtime/errors.ts";
import { createHost } from "../_runtime/host.ts";
import { silentLog as log } from "../_runtime/log.ts";
import { createRightfulClient } from "../_runtime/testing/rightful-client.ts";
import { createReader } from "./service.ts";
import { createRows, type Rows } from "./testing-rows.ts";

/** A reader on a real database of one test file's own, and its owner's hand to fill it. */
export interface TestReader {
  readonly accountId: string;
  readonly liveAccountId: string;
  readonly reader: Client<typeof ReaderService>;
  /** The names of the statements that the reader ran, in order; a test may empty it. */
  readonly statements: string[];
  /** Makes rows of an account as the writer would; the sandbox account unless told otherwise. */
  rowsOf(accountId?: string): Rows;
  /** Runs a statement as the owner. */
  sql<Row>(text: string, ...values: unknown[]): Promise<Row[]>;
}

/** The key that the sandbox account is seeded with. */
export const SECRET_KEY = "sk_test_reader01";

/** Starts a reader for one test file, and ends it after that file's tests. */
export async function startTestReader(): Promise<TestReader> {
  const { urls } = await createTestDatabase();
  const { sandboxAccountId: accountId, liveAccountId } = await seed({ ownerUrl: urls.owner, secretKey: SECRET_KEY });
  const connect = (url: string) => {
    const database = connectDatabase({ url, role: "reader", connectionsMax: 4, log });
    afterAll(database.close);
    return database;
  };
  const owner = connect(urls.owner);
  const statements: string[] = [];
  const database = guardDatabase(noting(connect(urls.reader), statements));
  const services = [{ service: ReaderService, implementation: createReader({ database }) }];
  const host = createHost({ name: "reader", services, log, clock });
  const transport = createDirectTransport({ host: () => host, clock, freeze: true });
  const reader = createRightfulClient(ReaderService, "reader", transport, { clock, log });
  const sql: TestReader["sql"] = (text, ...values) => owner.query({ name: "", text }, values);
  return { accountId, liveAccountId, reader, statements, sql, rowsOf: (of = accountId) => createRows(sql, of) };
}

/** What a promise was refused with; undefined when it was not. */
export async function refusal(promise: Promise<unknown>): Promise<Refusal | undefined> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return refusalOf(error);
}

function noting(database: Database, statements: string[]): Database {
  return {
    ...database,
    query: (statement, values) => {
      statements.push(statement.name);
      return database.query(statement, values);
    },
  };
}
