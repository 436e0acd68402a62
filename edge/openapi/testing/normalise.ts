// 2026-01-01T00:00:00Z, where test clocks start.
const NOW_S = 1_767_225_600;
const DAY_S = 86_400;
// From one day of a month to the same of the next.
const MONTH_DAYS = { min: 28, max: 31 };

/** What differs from run to run, by the name of its field, and what stands in an example instead. */
const fixed: Readonly<Record<string, string>> = {
  authorization_code: "A1B2C3",
  fingerprint: "Xt5EWLLDS7FJjR1c",
  idempotency_key: "order-42",
  invoice_pdf: "https://pay.example.com/invoices/acct_1/in_1/signature",
  reference: "123456789012",
  secret: "whsec_0123456789abcdefghijABCDEFGHIJ01",
};

/** Makes real answers into examples that are the same in every run: ids by their order, times from the start of 2026. */
export function createNormaliser(nowS: number): (value: unknown) => unknown {
  const ids = new Map<string, string>();
  const nameOf = (id: string) => {
    const [prefix = ""] = id.split("_", 1);
    const known = ids.get(id);
    if (known !== undefined) return known;
    const name = `${prefix}_${[...ids.values()].filter((one) => one.startsWith(`${prefix}_`)).length + 1}`;
    ids.set(id, name);
    return name;
  };
  const normalise = (value: unknown, field = ""): unknown => {
    if (Array.isArray(value)) return value.map((item) => normalise(item));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, normalise(part, name)]));
    }
    if (typeof value === "number") return Math.abs(value - nowS) < 400 * DAY_S ? momentOf(value - nowS) : value;
    if (typeof value !== "string") return value;
    if (Object.hasOwn(fixed, field)) return fixed[field];
    return value.replaceAll(/\b[a-z]{2,5}_[0-9A-Za-z]{14,}\b/g, nameOf);
  };
  return (value) => normalise(value);
}

function momentOf(ageS: number): number {
  const days = Math.round(ageS / DAY_S);
  const isMonth = days >= MONTH_DAYS.min && days <= MONTH_DAYS.max;
  return NOW_S + (isMonth ? MONTH_DAYS.max : days) * DAY_S;
}
