import { API_VERSION } from "../../../services/_views/wire.ts";
import { formed } from "../../decode/fields.ts";
import { apiVersionInvalid } from "../../webhook-problems.ts";

const FORM = "^\\d{4}-\\d{2}-\\d{2}(\\.[a-z][a-z0-9_]{0,31})?$";

/** A version of Stripe's API: the day it was published, and since 2024 its name. */
export const apiVersion = formed(64, FORM, "a version of the API, such as 2026-10-28.endive or 2019-12-03");

/**
 * The version that an endpoint is made with: the one given, else that of the request, which SDKs of typed languages send and hold
 * the endpoint's events to; else Tripe's own. Throws a Problem for what is no version. Every published one is taken, since the
 * shape is the same for all (edge/DIFFERENCES.md).
 */
export function readApiVersion(given: string | undefined, header: string | undefined): string {
  if (given !== undefined) {
    if (!isVersion(given)) throw apiVersionInvalid(given, "api_version");
    return given;
  }
  // Preview SDKs add features behind it: "2025-03-31.basil; custom_checkout_beta=v1".
  const asked = header?.split(";", 1)[0]?.trim() ?? "";
  if (asked === "") return API_VERSION;
  if (!isVersion(asked)) throw apiVersionInvalid(asked);
  return asked;
}

function isVersion(text: string): boolean {
  const [day = ""] = text.split(".", 1);
  // What is no day of the calendar, such as 2025-02-30, is read as another one, or as none.
  const time = new Date(`${day}T00:00:00Z`);
  return new RegExp(FORM).test(text) && !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}
