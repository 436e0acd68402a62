/**
 * Paths of Stripe's API that Tripe does not have, as the official SDKs ask for them, each with what to use instead; empty where
 * there is nothing. A path stands for all below it; ids are ":id". A test holds the list against the paths of the SDK.
 */
const notOffered: Readonly<Record<string, string>> = {
  account: "`npm run accounts` shows and changes accounts, on the machine that runs Tripe.",
  account_links: "",
  account_sessions: "",
  accounts: "`npm run accounts` shows and changes accounts, on the machine that runs Tripe.",
  apple_pay: "",
  application_fees: "",
  apps: "",
  balance: "GET /v1/charges and GET /v1/refunds with expand[]=data.balance_transaction show what was booked.",
  balance_settings: "",
  balance_transactions: "Expand balance_transaction on a charge or a refund instead.",
  billing: "Use GET /v1/invoices and GET /v1/subscriptions of the customer.",
  billing_portal: "Use POST /v1/subscriptions/:id and DELETE /v1/subscriptions/:id from a page of your own.",
  "charges/search": "Use GET /v1/charges with its filters.",
  "charges/:id/dispute": "",
  "charges/:id/refund": "Use POST /v1/refunds with charge=….",
  "charges/:id/refunds": "Use GET /v1/refunds with charge=….",
  checkout: "Use POST /v1/charges, POST /v1/subscriptions or POST /v1/invoices with a token from POST /v1/tokens.",
  climate: "",
  confirmation_tokens: "Use POST /v1/tokens.",
  country_specs: "",
  coupons: "",
  credit_notes: "Use POST /v1/refunds for what was paid, and POST /v1/invoices/:id/void for what is owed.",
  customer_sessions: "",
  "customers/search": "Use GET /v1/customers with its filters, such as email.",
  "customers/:id/balance_transactions": "Use POST /v1/invoiceitems, with a negative amount for a credit.",
  "customers/:id/cards": "Use /v1/customers/:id/sources.",
  "customers/:id/cash_balance": "",
  "customers/:id/cash_balance_transactions": "",
  "customers/:id/discount": "",
  "customers/:id/funding_instructions": "",
  "customers/:id/payment_methods/:id": "Use GET /v1/payment_methods/:id.",
  "customers/:id/sources/:id":
    "Use GET /v1/payment_methods/:id to read a card, and POST /v1/payment_methods/:id/detach to take it away.",
  "customers/:id/subscriptions": "Use /v1/subscriptions with customer=….",
  "customers/:id/tax_ids": "",
  disputes: "",
  entitlements: "",
  ephemeral_keys: "",
  exchange_rates: "",
  file_links: "",
  files: "",
  financial_connections: "",
  forwarding: "",
  identity: "",
  "invoice_payments/:id": "Use GET /v1/invoice_payments with invoice=….",
  invoice_rendering_templates: "",
  "invoices/create_preview": "Use POST /v1/invoices, and DELETE /v1/invoices/:id while it is a draft.",
  "invoices/search": "Use GET /v1/invoices with its filters.",
  "invoices/upcoming": "Use GET /v1/subscriptions/:id: its items and current_period_end say what comes next.",
  "invoices/:id/add_lines": "Use POST /v1/invoiceitems with invoice=….",
  "invoices/:id/attach_payment": "Use POST /v1/invoices/:id/pay.",
  "invoices/:id/lines/:id": "Use POST /v1/invoiceitems/:id.",
  "invoices/:id/remove_lines": "Use DELETE /v1/invoiceitems/:id.",
  "invoices/:id/update_lines": "Use POST /v1/invoiceitems/:id.",
  issuing: "",
  link_account_sessions: "",
  linked_accounts: "",
  mandates: "",
  payment_attempt_records: "",
  payment_intents: "Use POST /v1/charges; with capture=false it holds the money until POST /v1/charges/:id/capture.",
  payment_links: "Use POST /v1/invoices with collection_method=send_invoice.",
  payment_method_configurations: "",
  payment_method_domains: "",
  payment_records: "",
  payouts: "",
  plans: "Use /v1/prices.",
  "prices/search": "Use GET /v1/prices with its filters, such as lookup_keys.",
  product_catalog: "",
  "products/search": "Use GET /v1/products with its filters.",
  "products/:id/features": "",
  promotion_codes: "",
  quotes: "Use POST /v1/invoices: a draft can be changed until it is finalized.",
  radar: "",
  "refunds/:id/cancel": "A refund that was made is not changed or canceled.",
  reporting: "",
  reviews: "",
  setup_attempts: "",
  setup_intents: "Use POST /v1/customers/:id/sources or POST /v1/payment_methods/:id/attach, which verify the card.",
  shipping_rates: "",
  sigma: "",
  sources: "Use POST /v1/tokens, and POST /v1/customers/:id/sources to keep the card.",
  subscription_items: "Use POST /v1/subscriptions with items.",
  subscription_schedules: "Use POST /v1/subscriptions when the time comes, or trial_end.",
  "subscriptions/search": "Use GET /v1/subscriptions with its filters.",
  "subscriptions/:id/discount": "",
  "subscriptions/:id/migrate": "",
  "subscriptions/:id/pause": "",
  "subscriptions/:id/resume": "",
  tax: "",
  tax_codes: "",
  tax_ids: "",
  tax_rates: "",
  terminal: "",
  test_helpers: "",
  three_d_secure: "",
  topups: "",
  transfers: "",
  treasury: "",
};

/**
 * Says that Tripe does not offer a path which Stripe has, and what to use; undefined for a path that Stripe has not either.
 * Asked only for paths that no route has.
 */
export function explainNotOffered(method: string, path: string): string | undefined {
  const [, version, ...names] = path.split("/");
  if (version === "v2" && names.length > 0) return `Tripe does not offer /v2 (${method}). It offers /v1 alone.`;
  if (version !== "v1") return undefined;
  const patterns = names.map((_, index) => patternOf(names.slice(0, names.length - index)));
  const found = patterns.flat().find((pattern) => Object.hasOwn(notOffered, pattern));
  if (found === undefined) return undefined;
  const hint = notOffered[found] ?? "";
  return `Tripe does not offer /v1/${found} (${method}).${hint === "" ? "" : ` ${hint}`} See /openapi.json for every URL there is.`;
}

// As it is, and with ids where ids may stand: "invoices/upcoming" is a word, "invoices/in_1" an id.
function patternOf(names: readonly string[]): string[] {
  const withIds = names.map((name, index) => (index % 2 === 1 ? ":id" : name));
  return [names.join("/"), withIds.join("/")];
}
