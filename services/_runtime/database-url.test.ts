import { userInfo } from "node:os";
import { expect, test } from "vitest";
import { parseDatabaseUrl, placeOfDatabase } from "./database-url.ts";

const parse = (text: string) => parseDatabaseUrl("DATABASE_URL", text);
const me = userInfo().username;

test.each([
  ["postgres://u:p@db.example:5433/shop", "postgres://u:p@db.example:5433/shop", "db.example:5433"],
  ["postgresql://u:p@[::1]/shop", "postgres://u:p@[::1]/shop", "[::1]"],
  [
    "postgres://u:p@/shop?host=/run/pg&port=5433",
    "postgres://u:p@localhost/shop?host=/run/pg&port=5433",
    "/run/pg:5433",
  ],
  ["postgres://u:p@%2Frun%2Fpg/shop", "postgres://u:p@%2Frun%2Fpg/shop", "/run/pg"],
  ["postgres://u@:5433/shop", "postgres://u@localhost:5433/shop", "localhost:5433"],
  ["postgres:///shop", `postgres://${me}@localhost/shop`, "localhost"],
  ["postgres://u@h", "postgres://u@h/u", "h"],
  ["postgres://h/?user=u&password=a%40b&dbname=shop", "postgres://u:a%40b@h/shop", "h"],
])("%s is an address of Postgres", (text, url, place) => {
  expect(decodeURIComponent(parse(text))).toBe(decodeURIComponent(url));
  expect(placeOfDatabase(parse(text))).toBe(place);
});

test("every sslmode that encrypts verifies too, but the one that says it does not", () => {
  const modeOf = (mode: string) => new URL(parse(`postgres://u@h/d?sslmode=${mode}`)).searchParams.get("sslmode");
  expect(["disable", "prefer", "require", "verify-ca", "verify-full", "no-verify"].map(modeOf)).toEqual([
    "disable",
    "verify-full",
    "verify-full",
    "verify-full",
    "verify-full",
    "no-verify",
  ]);
  expect(() => modeOf("allow")).toThrow("DATABASE_URL has sslmode=allow: it must be one of disable, prefer,");
  expect(parse("postgres://u@h/d?sslmode=require&uselibpqcompat=true")).toContain("sslmode=require");
});

test.each([
  ["mysql://u:hunter2@h/d", "must be an address that starts with postgres://"],
  ["postgres://u:hunter2@a:1,b:2/d", "must name one host"],
  ["postgres://u:hunter2@h:port/d", "cannot be read as postgres://user:password@host:port/database"],
  ["postgres://u:hunter2#@h/d", "#"],
  ["postgres://u:hun/ter2@h/d", "cannot be read as"],
])("%s is refused in words, without its password", (text, words) => {
  expect(() => parse(text)).toThrow(words);
  expect(() => parse(text)).not.toThrow("hun");
});
