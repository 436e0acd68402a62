import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { watchCrashPoints } from "../_runtime/crash-points.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps } from "./testing.ts";

const tripe = await startTestTripe();

test("the README's table has every crash point of a charge, in order, and no other", async () => {
  const steps = createSteps(tripe);
  const payer = await steps.createPayer();
  const passed: string[] = [];
  const stop = watchCrashPoints((name) => passed.push(name));
  await steps.charge(steps.chargeRequest(payer)).finally(stop);
  const text = await readFile(new URL("./README.md", import.meta.url), "utf8");
  const rows = text.slice(text.indexOf("| it dies at |")).split("\n\n")[0] ?? "";
  const named = rows
    .split("\n")
    .flatMap((row) => Array.from((row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g), ([, name]) => name));
  expect(named).toEqual(passed);
});
