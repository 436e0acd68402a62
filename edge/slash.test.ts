import { expect, test } from "vitest";
import { withoutSlash } from "./slash.ts";

test.each([
  ["/v1/charges/", "/v1/charges"],
  ["/v1/charges/?limit=3", "/v1/charges?limit=3"],
  ["/v1/charges/ch_1/", "/v1/charges/ch_1"],
  ["/v1/charges/ch_1/capture/?expand[]=customer/", "/v1/charges/ch_1/capture?expand[]=customer/"],
  ["/", "/"],
  ["/?a=b/", "/?a=b/"],
  ["/v1/charges?description=a/", "/v1/charges?description=a/"],
  ["//", "/"],
  ["", ""],
])("%s is routed as %s", (url, routed) => expect(withoutSlash(url, {})).toBe(routed));

test.each([
  { "user-agent": "Stripe/v1 NodeBindings/23.1.0" },
  { "user-agent": "Stripe/v1 PythonBindings/12.0.0" },
  { "user-agent": "okhttp/4", "x-stripe-client-user-agent": "{}" },
])("an official SDK means an empty id by it: %j", (headers) => {
  expect(withoutSlash("/v1/charges/", headers)).toBe("/v1/charges/");
});
