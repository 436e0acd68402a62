import { expect, test } from "vitest";
import { exercises } from "./exercises.ts";
import { refuseSize } from "./soak-sizes.ts";

test.each([
  ["rotation", 20, "at least 100"],
  ["webhooks", 5, "at least 20"],
  ["redrives", 0, "at least 1"],
  ["crashes", 1.5, "a whole number"],
  ["simulation", Number.NaN, "a whole number"],
  ["bugs", 1_000, "at most"],
])("%s is refused at a size that shows nothing: %d", (part, size, words) => {
  expect(refuseSize(part, size, exercises[part] ?? {})).toContain(words);
});

test("every part runs at its own size, and redrives at 50", () => {
  for (const [part, exercise] of Object.entries(exercises)) {
    expect(refuseSize(part, exercise.size, exercise)).toBeUndefined();
  }
  expect(refuseSize("redrives", 50, exercises["redrives"] ?? {})).toBeUndefined();
});
