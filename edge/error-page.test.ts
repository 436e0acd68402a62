import { expect, test } from "vitest";
import { edgeActions } from "../services/_runtime/config.ts";
import { readSources } from "../services/_tidy/source.ts";
import { errorCodes } from "./error-codes.ts";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();

test("every code in the sources has its paragraph, and every paragraph is of a code in the sources", () => {
  const sources = readSources(["edge", "services/_views"], ".ts").filter(
    ({ path }) => !/\.test\.ts$|testing|chaos|tools|error-codes/.test(path),
  );
  const text = sources.map((source) => source.text).join("\n");
  const unused = Object.keys(errorCodes).filter((code) => !new RegExp(`["\`]${code}["\`]|\\b${code}: \\[`).test(text));
  expect(unused).toEqual([]);
  const used = [...text.matchAll(/\bcode: "([a-z_]+)"/g)].map(([, code = ""]) => code);
  expect(used.length).toBeGreaterThan(30);
  expect(used.filter((code) => !Object.hasOwn(errorCodes, code))).toEqual([]);
});

test.each([
  ["GET", "/v1/charges/ch_none", "resource_missing"],
  ["GET", "/v1/charges?limit=x", "parameter_invalid_integer"],
  ["POST", "/v1/charges", "parameter_missing"],
  ["GET", "/v1/charges?foo=1", "parameter_unknown"],
] as const)("%s %s names the page of its code, %s", async (method, url, code) => {
  const asked = await bench.ask({ method, url, headers: { host: "tripe.example:8080" } });
  expect(asked.body.error).toMatchObject({ code, doc_url: `http://tripe.example:8080/docs/errors#${code}` });
  const named = bench.edgeOf(edgeActions, { publicUrl: "https://pay.example" });
  const { body } = await named.ask({ method, url });
  expect(body.error?.["doc_url"]).toBe(`https://pay.example/docs/errors#${code}`);
});

test("an error without a code names no page, and neither does an answer", async () => {
  const unknown = await bench.ask({ method: "GET", url: "/v1/nowhere" });
  expect([unknown.status, unknown.body.error]).toEqual([
    404,
    expect.not.objectContaining({ doc_url: expect.anything() }),
  ]);
  const listed = await bench.ask({ method: "GET", url: "/v1/charges" });
  expect(JSON.stringify(listed.body)).not.toContain("/docs/errors");
});

test("the page is static: a paragraph a code, no script, for anybody", async () => {
  const page = await bench.app.inject({ method: "GET", url: "/docs/errors" });
  expect(page.statusCode).toBe(200);
  expect(page.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "x-content-type-options": "nosniff",
    "content-security-policy": expect.stringContaining("default-src 'none'"),
  });
  for (const code of Object.keys(errorCodes)) expect(page.body).toContain(`<h2 id="${code}">`);
  expect(page.body).not.toMatch(/<script|javascript:|\son\w+=/i);
});
