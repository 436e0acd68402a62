import { expect, test } from "vitest";
import { FAULT_KINDS, type FaultKind, faultAt, NO_FAULTS, parseFaults } from "./faults.ts";

test("the same seed gives the same faults, another seed others", () => {
  const draw = (text: string) => {
    const next = parseFaults(text);
    return Array.from({ length: 200 }, () => next());
  };
  expect(draw("42:lose=5,late=20")).toEqual(draw("42:lose=5,late=20"));
  expect(draw("42:lose=5,late=20")).not.toEqual(draw("43:lose=5,late=20"));
});

test("faults come about as often as asked, and their lateness is 5 to 120 s, scaled", () => {
  const next = parseFaults("7:lose=10,late=30,scale=0.01");
  const faults = Array.from({ length: 2_000 }, () => next()).filter((fault) => fault !== undefined);
  const share = (kind: string) => faults.filter((fault) => fault.kind === kind).length / 2_000;
  expect(Math.abs(share("lose") - 0.1)).toBeLessThan(0.03);
  expect(Math.abs(share("late") - 0.3)).toBeLessThan(0.04);
  expect(faults.every(({ lateMs }) => lateMs >= 50 && lateMs <= 1_200)).toBe(true);
});

test("a malformed text is refused, and no text means no faults", () => {
  for (const text of ["", "x:lose=1", "1:lose", "1:burn=3", "1:lose=many"]) expect(() => parseFaults(text)).toThrow();
  expect(NO_FAULTS()).toBe(undefined);
});

const PLAN = {
  seed: 42,
  scale: 1,
  percents: new Map<FaultKind, number>(FAULT_KINDS.map((kind) => [kind, kind === "slow" ? 30 : 5])),
};

test("what goes wrong with the n-th request depends on the seed and n alone", () => {
  const inOrder = Array.from({ length: 500 }, (_, index) => faultAt(PLAN, index));
  const backwards = Array.from({ length: 500 }, (_, index) => faultAt(PLAN, 499 - index)).reverse();
  expect(backwards).toEqual(inOrder);
  const next = parseFaults("42:lose=5,drop=5,late=5,delay=5,double=5,reset=5,malformed=5,echo=5,outage=5,slow=30");
  expect(Array.from({ length: 500 }, () => next())).toEqual(inOrder);
  expect(new Set(inOrder.map((fault) => fault?.kind))).toEqual(new Set([...FAULT_KINDS, undefined]));
});

test("slowness comes in spells of twenty requests that are slow by the same time, 0.5 to 5 s", () => {
  const slow = { ...PLAN, percents: new Map<FaultKind, number>([["slow", 30]]) };
  const spells = Array.from({ length: 200 }, (_, spell) => {
    const times = Array.from({ length: 20 }, (_, index) => faultAt(slow, 20 * spell + index)?.lateMs);
    expect(new Set(times).size).toBe(1);
    return times[0];
  });
  const times = spells.filter((ms) => ms !== undefined);
  expect(Math.abs(times.length / 200 - 0.3)).toBeLessThan(0.1);
  expect(times.every((ms) => ms >= 500 && ms <= 5_000)).toBe(true);
});
