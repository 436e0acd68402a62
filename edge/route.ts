import type { Static, TObject } from "typebox";
import type { Account } from "../gen/tripe/billing/v1/account_pb.ts";
import type { Snapshot } from "../gen/tripe/billing/v1/event_pb.ts";
import type { Invoice } from "../gen/tripe/billing/v1/invoice_pb.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import { assert } from "../services/_runtime/errors.ts";
import type { CreateId } from "../services/_runtime/ids.ts";
import type { WebhookReach } from "../services/_runtime/webhook-reach.ts";
import type { KeyScope } from "./authenticate.ts";
import type { EdgeClients } from "./clients.ts";
import type { Identity } from "./idempotency.ts";
import type { Mentions } from "./mentions.ts";
import type { ObjectName } from "./openapi/objects/objects.ts";
import type { Problem } from "./problem.ts";
import type { Reads } from "./reads.ts";

/** A public request, past the door: whose it is, what it may use, and what it wants to see whole. */
export interface PublicRequest {
  readonly clients: EdgeClients;
  readonly reads: Reads;
  readonly clock: Clock;
  readonly createId: CreateId;
  readonly account: Account;
  readonly accountId: string;
  /** The id in the path; empty for routes without one. */
  readonly id: string;
  /** What makes a write one and the same when it is sent again; of no use to reads. */
  readonly identity: Identity;
  /** Whether nothing between the client and the edge could read the request (transport.ts). */
  readonly isPrivate: boolean;
  /** Set when the request came with a publishable key, as from a page. */
  readonly browser?: BrowserRequest;
  /** The Stripe-Version that the request came with. */
  readonly askedVersion: string | undefined;
  /** Whether the client may send this very request again: it gave an Idempotency-Key. */
  readonly isRepeatable: boolean;
  /** Where on this machine merchants may name endpoints. */
  readonly reach: WebhookReach;
  /** The link to an invoice's PDF, which answers whoever has it; undefined where Tripe's public address is not known. */
  invoicePdfUrl(invoice: Invoice): string | undefined;
  /** The paths to show whole; of a list, those of its items, without "data.". */
  readonly expand: ReadonlySet<string>;
}

/** What is particular about a request with a publishable key. */
export interface BrowserRequest {
  /** Counts a card against the address that gives it; false when it has given too many. */
  countCard(): boolean;
}

/** What an action answers. */
export interface Answer {
  /** The public JSON; or, for a write that ended in a stored failure (a declined charge), the problem; or bytes. */
  readonly body: object | Problem | Buffer;
  /** What bytes are, and whatever else their reader should know. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether an earlier request with the same key had done it. */
  readonly isReplayed?: boolean;
}

/** One public route, as data: served by Fastify, described in /openapi.json. */
export interface Route<Params extends TObject = TObject> {
  readonly method: "DELETE" | "GET" | "POST";
  /** Such as "/v1/customers/:id". */
  readonly path: string;
  /** What programs call it by, in camelCase; no two are the same. */
  readonly operationId: string;
  /** What a 200 holds: an object (of a list route, a page of them), one of several, or a PDF. */
  readonly answers: ObjectName | readonly ObjectName[] | "pdf";
  /** Whether a card may be refused here, which is a 402. */
  readonly mayDecline?: true;
  /** Other paths of the same resource; answered alike, and one and the same to an Idempotency-Key. */
  readonly aliases?: readonly { readonly path: string; readonly operationId: string }[];
  /** What it does, for the reference. */
  readonly summary: string;
  readonly params: Params;
  /** Which paths may be expanded; of a list, without "data.". */
  readonly expandable: readonly string[];
  readonly isList?: boolean;
  /** Default: secret. */
  readonly scope?: KeyScope;
  /** Whether it asks a bank: refused for live accounts while they have none. */
  readonly needsBank?: boolean;
  /** Where in the request ids stand, for words about those that name nothing. */
  mentions?(id: string, params: Static<Params>): Mentions;
  run(request: PublicRequest, params: Static<Params>): Promise<Answer>;
  /**
   * Answers a write with what an equal one stored. It is asked when `run` refuses what the same request, under the same key, may
   * have done before: since then a customer may be deleted or an invoice paid. Absent where only the writer refuses.
   */
  replay?(request: PublicRequest, stored: Stored, params: Static<Params>): Promise<Answer>;
}

/** The noun that answered a write. */
export type Stored = Snapshot["noun"];

type Noun<Case> = Extract<Stored, { case: Case }>["value"];

/** Answers with a stored noun as the write itself does. */
export function replayOf<Case extends NonNullable<Stored["case"]>>(
  noun: Case,
  show: (request: PublicRequest, value: Noun<Case>) => object | Promise<object>,
) {
  return async (request: PublicRequest, stored: Stored): Promise<Answer> => {
    assert(stored.case === noun, `the stored answer of this route is a ${noun}`);
    const value: unknown = stored.value;
    return { body: await show(request, value as Noun<Case>), isReplayed: true };
  };
}

/** Checks a route against its own schema, and forgets the schema's type, so that routes fit in one list. */
export function defineRoute<Params extends TObject>(route: Route<Params>): Route {
  // A route is only ever run with what its own `params` decoded.
  return route as unknown as Route;
}

/** A route's paths, its own and its aliases, each with what programs call it by. */
export function pathsOf(
  route: Pick<Route, "aliases" | "operationId" | "path">,
): { path: string; operationId: string }[] {
  const { aliases = [], operationId, path } = route;
  return [{ path, operationId }, ...aliases];
}
