import { expect, test } from "vitest";
import { NO_FAULTS, parseFaults } from "./faults.ts";

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
