import { createHmac } from "node:crypto";

/**
 * Signs a body as Stripe does: `t=<seconds>,v1=<hex>`, one v1 a secret, each the HMAC-SHA256 of "<seconds>.<body>" under
 * the whole secret, "whsec_" included (docs.stripe.com/webhooks, "Verify manually").
 */
export function sign(body: Uint8Array, secrets: readonly string[], nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000);
  const signatures = secrets.map((secret) => {
    const digest = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest("hex");
    return `v1=${digest}`;
  });
  return [`t=${seconds}`, ...signatures].join(",");
}
