import { afterAll, expect, test } from "vitest";
import { runAudit } from "../services/_audit/audit.ts";
import { createAskEdge } from "../services/_runtime/ask-edge.ts";
import { systemClock } from "../services/_runtime/clock.ts";
import { silentLog } from "../services/_runtime/log.ts";
import { watchHealth } from "../services/_supervisor/watch-health.ts";
import { readStatement } from "../services/bank/sandbox/statement.ts";
import { startOwnPostgres } from "./testing/own-postgres.ts";
import { type Reply, startBench } from "./testing/tripe.ts";

// Everything here is real: a Postgres of this file's own, every service that money needs, the bank on its socket.
const postgres = await startOwnPostgres();
const bench = await startBench({ database: postgres.database });

// As the supervisor does for the person at the terminal.
const said: string[] = [];
const watching = new AbortController();
await bench.app.listen({ host: "127.0.0.1", port: 0 });
const address = bench.app.server.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
const say = (words: string) => void said.push(words);
const terminal = {
  ask: createAskEdge({ url: `http://127.0.0.1:${port}`, certFile: undefined }),
  clock: systemClock,
  log: silentLog,
  say,
  signal: watching.signal,
  // Every fault of this file is waited for.
  wellPollMs: 2_000,
};
const watch = watchHealth(terminal);
afterAll(async () => {
  watching.abort();
  await watch;
});

/** What /readyz promises is two seconds; a busy machine gets one more, so that the test fails for the promise alone. */
const NOTICE_MAX_MS = 3_000;
/** A client is answered within 8 s, whatever stands still behind the edge. */
const ANSWER_MAX_MS = 9_000;
const HEAL_MAX_MS = 20_000;

const healthz = async () => (await bench.app.inject({ url: "/healthz" })).body.trim().split("\n");
const isReady = async () => (await bench.app.inject({ url: "/readyz" })).statusCode;
const payload = { amount: 1000, currency: "usd", source: "tok_visa" };
const charge = () => bench.ask({ method: "POST", url: "/v1/charges", payload });

async function untilReady(status: number, maxMs: number): Promise<number> {
  const startMs = systemClock.preciseMs();
  await expect.poll(isReady, { timeout: maxMs, interval: 50 }).toBe(status);
  return systemClock.preciseMs() - startMs;
}

/** The fault is there: readiness, a client, the alert and the terminal all know of it in time. */
async function expectOutage({ service = "writer", reason = "DATABASE_UNAVAILABLE", why }: Wanted): Promise<void> {
  const charging = chargeUntilRefused();
  const noticeMs = await untilReady(503, NOTICE_MAX_MS);
  await expect.poll(healthz, { timeout: 5_000 }).toContainEqual(expect.stringMatching(why));
  const lines = await healthz();
  expect(lines.find((line) => line.startsWith(`${service} `))).toMatch(/ not serving: /);
  expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^alert ${reason} `)));
  const { answer, ms } = await charging;
  expect({ status: answer.status, type: answer.body.error?.["type"] }).toEqual({ status: 503, type: "api_error" });
  expect(answer.headers["retry-after"]).toBe("1");
  expect(ms).toBeLessThan(ANSWER_MAX_MS);
  expect((await bench.app.inject({ url: "/livez" })).statusCode).toBe(200);
  await expect.poll(() => said.at(-1), { timeout: 10_000 }).toContain(`${service} not serving: `);
  process.stdout.write(`${expect.getState().currentTestName}: noticed in ${Math.round(noticeMs)} ms\n`);
}

interface Wanted {
  readonly service?: string;
  readonly reason?: string;
  /** A line of /healthz. */
  readonly why: RegExp;
}

/** The fault is over: everything is as it was, by itself. */
async function expectHealed(): Promise<void> {
  const healMs = await untilReady(200, HEAL_MAX_MS);
  await expect.poll(async () => (await charge()).status, { timeout: HEAL_MAX_MS }).toBe(200);
  await expect.poll(async () => (await healthz()).filter((line) => line.startsWith("alert"))).toEqual([]);
  // This bench has no scheduler: that is all that is left to say.
  await expect.poll(() => said.at(-1), { timeout: 10_000 }).toMatch(/^not well: scheduler not serving: [^;]*$/);
  process.stdout.write(`${expect.getState().currentTestName}: healed in ${Math.round(healMs)} ms\n`);
}

/** A full disk has room here and there: a charge that finds it is a good one. Any other answer than 200 and 503 is returned. */
async function chargeUntilRefused(): Promise<{ answer: Reply; ms: number }> {
  for (let count = 1; ; count += 1) {
    const replies = await Promise.all(Array.from({ length: 8 }, () => timed(charge)));
    const refused = replies.find(({ answer }) => answer.status !== 200);
    if (refused !== undefined) return refused;
    if (count === 100) throw new Error("800 charges found room");
  }
}

async function timed<Answer>(work: () => Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const startMs = systemClock.preciseMs();
  const answer = await work();
  return { answer, ms: systemClock.preciseMs() - startMs };
}

const { username: role, password } = new URL(postgres.database.urls.writer);
const terminate = `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`;

test("all is well: money can move", async () => {
  expect((await charge()).status).toBe(200);
  await untilReady(200, HEAL_MAX_MS);
});

test("a Postgres that stands still is noticed, keeps nobody waiting, and goes on", { timeout: 90_000 }, async () => {
  const goOn = await postgres.freeze();
  try {
    await expectOutage({ why: /^writer not serving: the database does not answer$/ });
  } finally {
    goOn();
  }
  await expectHealed();
});

test.for([
  {
    name: "another password of the writer's role",
    begin: [`alter role ${role} password 'another'`, terminate],
    end: [`alter role ${role} password '${password}'`],
    why: /^writer not serving: the database refuses the password of its role$/,
  },
  {
    name: "a database that is read-only",
    begin: [`alter role ${role} set default_transaction_read_only = on`, terminate],
    end: [`alter role ${role} set default_transaction_read_only = off`, terminate],
    why: /^writer not serving: the database refuses writes: it is read-only$/,
  },
  {
    name: "no connection free for the writer",
    begin: [`alter role ${role} connection limit 0`, terminate],
    end: [`alter role ${role} connection limit -1`],
    why: /^writer not serving: the database has no connection free$/,
  },
])("$name: 503 until it is over", { timeout: 90_000 }, async ({ begin, end, why }) => {
  await postgres.run(...begin);
  try {
    await expectOutage({ why });
  } finally {
    await postgres.run(...end);
  }
  await expectHealed();
});

test.skipIf(!postgres.hasOwnDisk)("a full disk refuses writes until there is room", { timeout: 90_000 }, async () => {
  const free = postgres.fillDisk();
  try {
    await expectOutage({ why: /^writer not serving: the database refuses writes: its disk is full$/ });
  } finally {
    free();
  }
  await expectHealed();
});

test.skipIf(!postgres.hasOwnDisk)(
  "a Postgres that a full disk has ended comes back with the room",
  {
    timeout: 120_000,
  },
  async () => {
    const free = postgres.fillDisk();
    try {
      process.kill(postgres.pid(), "SIGKILL");
      await expectOutage({ why: /^writer not serving: the database is not there: nothing listens$/ });
      // Its keeper says so once, with the reason, however often it tries.
      await expect
        .poll(() => postgres.said, { timeout: 30_000 })
        .toEqual([expect.stringMatching(/^Postgres ended and does not start: the disk of .* is full; /)]);
    } finally {
      free();
    }
    await expectHealed();
    expect(postgres.said.at(-1)).toBe("Postgres runs again");
  },
);

test("after all of it the books are right", async () => {
  const { urls } = postgres.database;
  const statement = readStatement(bench.tripe.statementFile);
  const { dataDir } = bench.tripe.config;
  expect(await runAudit({ databaseUrl: urls.audit, statement, dataDir, clock: systemClock, log: silentLog })).toEqual(
    [],
  );
});
