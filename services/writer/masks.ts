import { Code } from "@connectrpc/connect";
import { refuse } from "../_runtime/errors.ts";

/**
 * Takes the masked fields from `change`, the others from `current`; neither is changed. Paths are the proto's names. Refuses
 * with INVALID_ARGUMENT, reason UPDATE_MASK_UNKNOWN, a path that is not among the updatable ones.
 */
export function applyMask<Noun extends object>(
  current: Noun,
  change: Noun,
  paths: readonly string[],
  updatable: readonly string[],
): Noun {
  const next = { ...current };
  for (const path of paths) {
    if (!updatable.includes(path)) {
      refuse(Code.InvalidArgument, "UPDATE_MASK_UNKNOWN", `the field ${path} cannot be updated`, "update_mask");
    }
    const name = path.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) as keyof Noun;
    next[name] = change[name];
  }
  return next;
}
