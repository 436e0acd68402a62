import { expect, onTestFinished, test } from "vitest";
import { connectDatabase } from "../services/_database/connect.ts";
import { silentLog } from "../services/_runtime/log.ts";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();

test("healthz names each service; readyz asks those money needs; livez asks nobody", async () => {
  const lines = async (url: string) => {
    const { statusCode, body } = await bench.app.inject({ url });
    return { statusCode, lines: body.trim().split("\n") };
  };
  expect((await lines("/readyz")).statusCode).toBe(200);
  expect(await lines("/healthz")).toMatchObject({
    statusCode: 503,
    lines: expect.arrayContaining(["scheduler not serving", "reader serving"]),
  });
  await bench.tripe.stopService("bank");
  expect(await lines("/readyz")).toMatchObject({
    statusCode: 503,
    lines: expect.arrayContaining(["bank not serving"]),
  });
  await bench.tripe.startService("bank");
  expect(await lines("/livez")).toEqual({ statusCode: 200, lines: ["edge serving"] });
});

test("healthz has a line for what waits for a person, until a person has seen to it", async () => {
  const lines = async () => (await bench.app.inject({ url: "/healthz" })).body.trim().split("\n");
  const alerts = async () => (await lines()).filter((line) => line.startsWith("alert"));
  const owner = connectDatabase({
    url: bench.tripe.database.urls.owner,
    role: "owner",
    connectionsMax: 2,
    log: silentLog,
  });
  onTestFinished(() => owner.close());
  const run = (text: string) => owner.query({ name: "", text }, []);
  expect(await alerts()).toEqual([]);
  await run(`insert into alert select '${bench.tripe.accountId}', 'alert_' || n, 'ANSWERS_DISAGREE', '', '{}',
    statement_timestamp() from generate_series(1, 2) n`);
  expect(await alerts()).toEqual(["alert ANSWERS_DISAGREE 2"]);
  const { counts } = await bench.tripe.clientsOf("edge").reader.countAlerts({});
  expect(counts).toMatchObject([{ reason: "ANSWERS_DISAGREE", count: 2n }]);
  await bench.tripe.stopService("reader");
  expect(await lines()).toContain("reader not serving");
  await bench.tripe.startService("reader");
  await run("update alert set resolve_time = statement_timestamp()");
  expect(await alerts()).toEqual([]);
});
