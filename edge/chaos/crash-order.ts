import type { TestTripe } from "../../services/testing.ts";

/** What a process that is to die does until then. Amounts are in minor units, as text: an order is JSON. */
export type Work =
  /** A charge, or a capture or a return of one, asked for as the edge does once it knows who pays. */
  | ({ readonly kind: "charge"; readonly customerId: string; readonly paymentMethodId: string } & Asked)
  | ({ readonly kind: "capture" | "return"; readonly chargeId: string } & Asked)
  /** What the scheduler does by itself: its sweeps of these names, one after the other. */
  | { readonly kind: "sweeps"; readonly names: readonly SweepName[] };

/** What every request for money says; under its id it is done once. */
export interface Asked {
  readonly accountId: string;
  readonly requestId: string;
  readonly amountMinor: string;
}

/** The scheduler's sweeps. */
export type SweepName = "attempts" | "renewals" | "collections" | "mails" | "events";

/** All that a process that is to die is told. */
export interface Order {
  readonly work: Work;
  /** Which of the crash points it passes is its last, from 1; 0 for none. */
  readonly dieAt: number;
  readonly dataDir: string;
  readonly acquirerAddress: string;
  readonly acquirerPassword: string;
  readonly urls: Pick<TestTripe["database"]["urls"], "reader" | "writer">;
  /** Where compiled code is kept, so that the next process need not compile it again. */
  readonly cacheDir: string;
}
