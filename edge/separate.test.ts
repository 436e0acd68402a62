import { expect, test } from "vitest";
import { edgeActions } from "../services/_runtime/config.ts";
import { actionRoutes } from "./actions/actions.ts";
import { startBench } from "./testing/tripe.ts";

// TRIPE_EDGE_ACTIONS: each action can run in an edge of its own. Here five edges share one set of services.
const bench = await startBench();
const edges = edgeActions.map((action) => ({ action, ...bench.edgeOf([action]) }));

test.each(edges)("an edge of $action serves its own routes and knows no others", async ({ action, ask }) => {
  for (const other of edgeActions) {
    for (const { method, path } of actionRoutes[other]) {
      const { status, body } = await ask({ method, url: path.replace(":id", "x_1") });
      const isUnrecognized = status === 404 && String(body.error?.["message"]).startsWith("Unrecognized request URL");
      expect([action, method, path, isUnrecognized]).toEqual([action, method, path, action !== other]);
    }
  }
});

test.each(edges)("an edge of $action serves the shared routes", async ({ app }) => {
  const statuses = await Promise.all(
    ["/livez", "/readyz", "/openapi.json"].map(async (url) => (await app.inject({ url })).statusCode),
  );
  expect(statuses).toEqual([200, 200, 200]);
});
