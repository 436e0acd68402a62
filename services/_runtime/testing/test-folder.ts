import { rm } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { createMemoryFolder } from "./memory-folder.ts";

/** Makes a folder of the running test's own, which is removed after it and after what the test registers later. */
export async function createTestFolder(prefix: string): Promise<string> {
  const folder = await createMemoryFolder(prefix);
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
