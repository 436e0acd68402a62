import { expect, test } from "vitest";
import { behaviourOf } from "./test-cards.ts";

test("the well-known success cards of every brand are approved", () => {
  const numbers = [
    "4242424242424242",
    "4000056655665556",
    "5555555555554444",
    "2223003122003222",
    "5200828282828210",
    "5105105105105100",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "3056930009020004",
    "36227206271667",
    "3566002020360505",
    "6200000000000005",
  ];
  for (const number of numbers)
    expect(behaviourOf(number), number).toEqual({ charge: "00", verify: "00", cvcResult: "M" });
});

test("each declining test card declines with its own code", () => {
  const codes = {
    "4000000000000002": "05",
    "4000000000009995": "51",
    "4000000000009987": "41",
    "4000000000009979": "43",
    "4000000000000069": "54",
    "4000000000000127": "N7",
    "4000000000000119": "96",
    "4000000000006975": "61",
    "4100000000000019": "59",
    "4242424242424241": "14",
  };
  for (const [number, code] of Object.entries(codes)) {
    expect([behaviourOf(number).charge, behaviourOf(number).verify], number).toEqual([code, code]);
  }
});

test("…0341 verifies and then declines, …0101 fails the CVC and is then charged", () => {
  expect(behaviourOf("4000000000000341")).toEqual({ charge: "05", verify: "00", cvcResult: "M" });
  expect(behaviourOf("4000000000000101")).toEqual({ charge: "00", verify: "00", cvcResult: "N" });
});

test("…7726 and …5126 are charged like any card, and their refunds end later: done, and expired", () => {
  const approved = behaviourOf("4242424242424242");
  expect(behaviourOf("4000000000007726")).toEqual({ ...approved, refundEnd: "00" });
  expect(behaviourOf("4000000000005126")).toEqual({ ...approved, refundEnd: "54" });
});
