import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { passCrashPoint, watchCrashPoints } from "./crash-points.ts";

test("a moment is told by a name that stays the same", () => {
  const names: string[] = [];
  const stop = watchCrashPoints((name) => names.push(name));
  passCrashPoint({ place: "writer", name: "BeginCharge" }, "before");
  passCrashPoint({ place: "sql", name: "begin_charge", text: "insert into charge" }, "after");
  passCrashPoint({ place: "sql", name: "k_0123abcd", text: 'select "a" from "charge" where "b" = $1' }, "before");
  passCrashPoint({ place: "sql", name: "", text: "begin" }, "before");
  stop();
  passCrashPoint({ place: "writer", name: "SettleCharge" }, "before");
  expect(names).toEqual([
    "writer.BeginCharge before",
    "sql begin_charge after",
    "sql select charge before",
    "sql begin before",
  ]);
});

test("a process dies at the very moment it was told to, and does nothing more", () => {
  const module = new URL("./crash-points.ts", import.meta.url).href;
  const program = `
    import { writeSync } from "node:fs";
    import { crashAt, passCrashPoint } from "${module}";
    process.on("exit", () => writeSync(1, "never"));
    crashAt(2, (name) => writeSync(1, name));
    for (const name of ["One", "Two", "Three"]) passCrashPoint({ place: "bank", name }, "before");
    writeSync(1, "never");`;
  const died = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  expect([died.signal, died.stdout]).toEqual(["SIGKILL", "bank.Two before"]);
});
