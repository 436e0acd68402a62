import { expect, test } from "vitest";
import { createPlaces } from "./places.ts";
import { Problem } from "./problem.ts";

function refusalOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return [error.status, error.headers["retry-after"]];
    throw error;
  }
  return undefined;
}

test("when all places are taken the next is refused, until one has been left", () => {
  const places = createPlaces({ max: 3, ofHolderMax: 3 });
  const leave = places.enter("a");
  places.enter("a");
  places.enter("b");
  expect(refusalOf(() => places.enter("c"))).toEqual([503, "1"]);
  leave();
  leave();
  expect(refusalOf(() => places.enter("c"))).toBeUndefined();
  expect(refusalOf(() => places.enter("c"))).toEqual([503, "1"]);
});

test("one holder does not take the places of all others", () => {
  const places = createPlaces({ max: 3, ofHolderMax: 2 });
  places.enter("a");
  places.enter("a");
  expect(refusalOf(() => places.enter("a"))).toEqual([429, "1"]);
  expect(refusalOf(() => places.enter("b"))).toBeUndefined();
});
