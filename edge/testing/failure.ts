import Stripe from "stripe";

/** Waits for a call of the SDK that is meant to fail, and gives its error; throws when the call succeeds. */
export async function failureOf(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Stripe.errors.StripeError) return error;
  throw new Error("the call was meant to fail", { cause: error });
}
