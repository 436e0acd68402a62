import { expect, test } from "vitest";
import { refuseUnfit } from "./check-server.ts";

const fit = {
  version: 150_000,
  version_name: "15.0",
  encoding: "UTF8",
  is_standby: false,
  is_durable: true,
  connections_max: 97,
  connections_used: 1,
};

test("Postgres 15 is fit, and an older one is refused by its version", () => {
  expect(() => refuseUnfit(fit, "db:5432")).not.toThrow();
  const old = { ...fit, version: 140_018, version_name: "14.18 (Debian 14.18-1)" };
  expect(() => refuseUnfit(old, "db:5432")).toThrow(
    /^the database of DATABASE_URL, db:5432, is Postgres 14\.18 \(Debian 14\.18-1\), and Tripe needs 15 or newer$/,
  );
});
