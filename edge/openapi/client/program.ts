import createClient from "openapi-fetch";
// Generated from /openapi.json by npm run check, which compiles this program against it.
import type { paths } from "tripe-api";

/** Makes a client of a Tripe: the types are generated, openapi-fetch carries the requests. */
function connect(baseUrl: string, key: string) {
  return createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });
}

/** What a merchant's program does with a generated client: creates, lists with filters and `expand`, and reads failures. */
export async function useTripe(baseUrl: string, key: string) {
  const tripe = connect(baseUrl, key);
  const customer = await tripe.POST("/v1/customers", {
    params: { header: { "Idempotency-Key": "customer-1" } },
    body: { email: "ann@example.com", metadata: { order: "6735" }, address: { line1: "1 Rue", country: "FR" } },
  });
  if (customer.data === undefined) throw new Error(customer.error.error.message);
  const { id } = customer.data;
  const card = await tripe.POST("/v1/customers/{id}/sources", {
    params: { path: { id } },
    body: { source: { number: "4242424242424242", exp_month: 12, exp_year: 2034 } },
  });
  const charge = await tripe.POST("/v1/charges", {
    body: { amount: 2_000, currency: "usd", customer: id, expand: ["balance_transaction"] },
  });
  if (charge.data === undefined) throw new Error(charge.error.error.message);
  const list = await tripe.GET("/v1/charges", {
    params: {
      query: { customer: id, limit: 3, created: { gte: 1 }, "expand[]": ["data.customer", "data.balance_transaction"] },
    },
  });
  if (list.data === undefined) throw new Error(list.error.error.message);
  const failure = await tripe.POST("/v1/charges", { body: { amount: 1, currency: "usd", customer: id } });
  const gone = await tripe.DELETE("/v1/customers/{id}", { params: { path: { id } } });
  return {
    brand: card.data?.brand,
    fee: feeOf(charge.data),
    emails: list.data.data.map(emailOf),
    hasMore: list.data.has_more,
    failure: failure.error?.error.code,
    isDeleted: gone.data?.deleted,
  };
}

/** A form is as good as JSON: the document says how its groups and lists are written. */
export async function createByForm(baseUrl: string, key: string) {
  const { data } = await connect(baseUrl, key).POST("/v1/products", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: { name: "Gold", active: true },
  });
  return data?.name;
}

// An expandable field is an id or the object; the compiler wants to know which before either is used.
function feeOf({ balance_transaction: transfer }: { balance_transaction: string | { fee: number } | null }) {
  return typeof transfer === "object" ? transfer?.fee : undefined;
}

function emailOf({ customer }: { customer: string | { email: string | null } | { deleted: true } | null }) {
  if (typeof customer !== "object" || customer === null) return undefined;
  return "deleted" in customer ? undefined : customer.email;
}

/** What the compiler refuses: a program with one of these does not build. */
export function refusedByTheCompiler(tripe: ReturnType<typeof connect>): Promise<unknown>[] {
  return [
    // @ts-expect-error: a charge has a currency.
    tripe.POST("/v1/charges", { body: { amount: 2_000 } }),
    // @ts-expect-error: an amount is a number.
    tripe.POST("/v1/charges", { body: { amount: "20.00", currency: "usd" } }),
    // @ts-expect-error: a charge's amount cannot be expanded.
    tripe.GET("/v1/charges", { params: { query: { "expand[]": ["data.amount"] } } }),
    // @ts-expect-error: no subscription has this status.
    tripe.GET("/v1/subscriptions", { params: { query: { status: "sleeping" } } }),
    // @ts-expect-error: there is no such route.
    tripe.GET("/v1/payouts"),
  ];
}
