import { expect, test } from "vitest";
import { startBench } from "../../testing/tripe.ts";
import { createByForm, useTripe } from "./program.ts";

const bench = await startBench();
const { secretKey } = bench.tripe;
const baseUrl = await bench.app.listen({ host: "127.0.0.1", port: 0 });

test("a program made with a generated client creates, lists with filters and expand, and gets typed answers", async () => {
  expect(await useTripe(baseUrl, secretKey)).toEqual({
    brand: "Visa",
    fee: 88,
    emails: ["ann@example.com"],
    hasMore: false,
    failure: "amount_too_small",
    isDeleted: true,
  });
});

test("a generated client sends forms as well", async () => {
  expect(await createByForm(baseUrl, secretKey)).toBe("Gold");
});
