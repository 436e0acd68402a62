import { SECRET_KEY } from "./whole-tripe.ts";

/** Makes an open invoice that waits for its customer, and gives the path of its PDF. */
export async function makeOpenInvoice(url: string): Promise<string> {
  const post = async (path: string, params: Record<string, string>) => {
    const answer = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET_KEY}` },
      body: new URLSearchParams(params),
    });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { id: string; invoice_pdf: string };
  };
  const { id: customer } = await post("/v1/customers", { name: "Ann", email: "ann@example.com" });
  const { id: invoice } = await post("/v1/invoices", {
    customer,
    collection_method: "send_invoice",
    days_until_due: "30",
  });
  await post("/v1/invoiceitems", { customer, invoice, amount: "700", currency: "usd", description: "One item" });
  return new URL((await post(`/v1/invoices/${invoice}/finalize`, {})).invoice_pdf).pathname;
}
