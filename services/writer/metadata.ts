import { Code } from "@connectrpc/connect";
import type { MetadataPatch } from "../../gen/tripe/billing/v1/metadata_pb.ts";
import { refuse } from "../_runtime/errors.ts";

/** Stripe's limit: 50 keys an object. */
const KEYS_MAX = 50;

/**
 * Applies a patch to a noun's metadata: cleared first when it says so, then keys taken away, then keys set. Refuses with
 * FAILED_PRECONDITION, reason METADATA_TOO_MANY_KEYS, what would hold more than 50 keys.
 */
export function patchMetadata(
  current: Readonly<Record<string, string>>,
  patch: MetadataPatch | undefined,
): Record<string, string> {
  if (patch === undefined) return { ...current };
  const kept = Object.entries(patch.isCleared ? {} : current).filter(([key]) => !patch.unset.includes(key));
  const patched = Object.fromEntries([...kept, ...Object.entries(patch.set)]);
  if (Object.keys(patched).length > KEYS_MAX) {
    refuse(Code.FailedPrecondition, "METADATA_TOO_MANY_KEYS", `metadata holds at most ${KEYS_MAX} keys`, "metadata");
  }
  return patched;
}
