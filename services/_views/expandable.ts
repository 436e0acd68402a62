import { assert } from "../_runtime/errors.ts";
import { textOrNull } from "./scalars.ts";

/**
 * What stands in an expandable field: the id, or null when it is empty, or, when the noun was fetched, its view. Stops
 * when the view is of another object than the id names: somebody's data would be shown in the wrong place.
 */
export function expandable<Noun, View extends { id: string }>(
  id: string,
  noun: Noun | undefined,
  view: (noun: Noun) => View,
): string | View | null {
  if (noun === undefined) return textOrNull(id);
  const expanded = view(noun);
  assert(expanded.id === id, `${id} was expanded with ${expanded.id}`);
  return expanded;
}

/** The same for a field that is never empty. Stops at an empty id. */
export function expandableOf<Noun, View extends { id: string }>(
  id: string,
  noun: Noun | undefined,
  view: (noun: Noun) => View,
): string | View {
  const shown = expandable(id, noun, view);
  assert(shown !== null, "what a noun always belongs to is known");
  return shown;
}
