import type { TestProject } from "vitest/node";
import { startTestServer } from "./testing-server.ts";

/** Starts the one Postgres of a test run, before its first file (vitest's globalSetup), and returns what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, stop } = await startTestServer();
  project.provide("testServer", server);
  return stop;
}
