/** The services of Tripe, in the order in which they may be started: callees before their callers. */
export const serviceNames = [
  "reader",
  "writer",
  "pdf",
  "bank",
  "scheduler",
  "transactions",
  "mailer",
  "webhooks",
] as const;

/** One of the eight internal services. */
export type ServiceName = (typeof serviceNames)[number];

/** Who may start a call: a service, the edge, or the operator (the tools, and programs of a person's own). */
export type CallerName = ServiceName | "edge" | "operator";

/** All of them. */
export const callerNames: readonly CallerName[] = ["edge", "operator", ...serviceNames];

/** What is added to PORT to get each port, so that two Tripes with distant PORTs run side by side. */
export const portOffset = {
  edge: 0,
  reader: 1,
  writer: 2,
  pdf: 3,
  bank: 4,
  scheduler: 5,
  transactions: 6,
  mailer: 7,
  webhooks: 8,
  sandboxBank: 9,
  postgres: 10,
} as const;

/** The rpcs that a caller may call, by the service that carries them out. */
type Callees = Partial<Record<ServiceName, readonly string[]>>;

// Calls only go down: the edge, then transactions and scheduler (they decide), then the rest (they do). A graph
// without cycles can be restarted in any order, and its deadlines add up. Each caller is listed with the rpcs it calls and
// no others: services/_tidy/calls.ts compares them with its source.
const callees = {
  edge: {
    reader: [
      "GetApiKey",
      "FindApiKeys",
      "GetAccount",
      "GetPayer",
      "GetCustomer",
      "ListCustomers",
      "GetPaymentMethod",
      "ListPaymentMethods",
      "GetToken",
      "GetCharge",
      "ListCharges",
      "GetReturn",
      "ListReturns",
      "CountAlerts",
      "GetOldestDue",
      "GetLedgerTransfer",
      "GetProduct",
      "ListProducts",
      "GetPrice",
      "ListPrices",
      "GetInvoice",
      "ListInvoices",
      "GetInvoiceItem",
      "ListInvoiceItems",
      "ListInvoicePayments",
      "GetSubscription",
      "ListSubscriptions",
      "GetEvent",
      "ListEvents",
      "GetWebhookEndpoint",
      "ListWebhookEndpoints",
      "GetOriginalRequest",
      "ListEventDeliveries",
      "CountPendingDeliveries",
    ],
    writer: [
      "FindAnswer",
      "CreateCustomer",
      "UpdateCustomer",
      "DeleteCustomer",
      "CreateToken",
      "CreatePaymentMethod",
      "AttachPaymentMethod",
      "DetachPaymentMethod",
      "UpdateCharge",
      "CreateProduct",
      "UpdateProduct",
      "CreatePrice",
      "UpdatePrice",
      "CreateInvoiceItem",
      "UpdateInvoiceItem",
      "DeleteInvoiceItem",
      "CreateInvoice",
      "UpdateInvoice",
      "DeleteInvoice",
      "FinalizeInvoice",
      "VoidInvoice",
      "MarkInvoiceUncollectible",
      "PayInvoiceOutOfBand",
      "BeginSending",
      "MarkSent",
      "CreateSubscription",
      "UpdateSubscription",
      "CancelSubscription",
      "CreateWebhookEndpoint",
      "UpdateWebhookEndpoint",
      "DeleteWebhookEndpoint",
      "RotateWebhookSecret",
      "RetryDelivery",
      "ReportBrowserKey",
      "CheckDatabase",
    ],
    transactions: ["CreateCharge", "CaptureCharge", "CreateReturn", "CollectInvoice", "VerifyPaymentMethod"],
    scheduler: ["GetStatus"],
    pdf: ["RenderInvoice"],
    bank: ["SealCard", "GetStatus"],
    mailer: ["SendInvoice", "GetStatus"],
  },
  // Reads without secrets, and what a person does when something waits for one. No rpc that moves money.
  operator: {
    reader: [
      "ListAccounts",
      "ListApiKeys",
      "GetAccount",
      "GetCustomer",
      "ListCustomers",
      "GetPaymentMethod",
      "ListPaymentMethods",
      "GetCharge",
      "ListCharges",
      "GetReturn",
      "ListReturns",
      "CountAlerts",
      "ListAlerts",
      "GetOldestDue",
      "GetLedgerTransfer",
      "GetProduct",
      "ListProducts",
      "GetPrice",
      "ListPrices",
      "GetInvoice",
      "ListInvoices",
      "GetInvoiceItem",
      "ListInvoiceItems",
      "ListInvoicePayments",
      "GetSubscription",
      "ListSubscriptions",
      "GetEvent",
      "ListEvents",
      "GetWebhookEndpoint",
      "ListWebhookEndpoints",
      "CountPendingDeliveries",
      "CountPostponedWork",
      "ListDeadWork",
    ],
    writer: [
      "CheckDatabase",
      "ResolveAlert",
      "ResolveAlerts",
      "CreateAccount",
      "UpdateAccount",
      "CreateApiKey",
      "RollApiKey",
      "RevokeApiKey",
      "RedriveDeliveries",
      "RedriveMails",
    ],
    scheduler: ["GetStatus", "RunSweep"],
  },
  scheduler: {
    reader: [
      "GetAccount",
      "GetCharge",
      "GetInvoice",
      "ListInvoiceItems",
      "GetEvent",
      "GetWebhookEndpoint",
      "FindDueWork",
    ],
    writer: [
      "FinalizeInvoice",
      "CancelSubscription",
      "LeaseCollections",
      "LeaseMails",
      "RecordMails",
      "MarkSent",
      "LeaseRenewals",
      "RenewSubscription",
      "DispatchEvents",
      // The only rpc that hands out secrets: those of endpoints, to sign webhooks.
      "LeaseDeliveries",
      "RecordDeliveries",
      "EraseSealedCvcs",
    ],
    transactions: ["ExpireHolds", "CollectInvoice", "ResolveAttempts"],
    pdf: ["RenderInvoice"],
    mailer: ["SendReceipt", "SendReturnNotice", "SendInvoice", "SendEndpointNotice"],
    webhooks: ["DeliverEvent"],
  },
  transactions: {
    writer: [
      "BeginCharge",
      "SettleCharge",
      "BeginCapture",
      "SettleCapture",
      "BeginExpiries",
      "SettleRelease",
      "BeginReturn",
      "SettleReturn",
      "LeaseAttempts",
      "PostponeAttempt",
      "GiveUpAttempt",
      "SettleLateAttempt",
      "ResolveAlerts",
      "SettleAutomaticReturn",
      "BeginCollection",
      "SettleCollection",
      "BeginVerification",
      "SettleVerification",
    ],
    bank: ["Submit", "Inquire", "VerifyCard"],
  },
  reader: {},
  writer: {},
  pdf: {},
  bank: {},
  mailer: {},
  webhooks: {},
} as const satisfies Record<CallerName, Callees>;

/** Who may call what, as a type: the clients of a caller have the rpcs of its row and no others (clients.ts). */
export type Topology = typeof callees;

const allowed: ReadonlyMap<CallerName, ReadonlyMap<string, ReadonlySet<string>>> = new Map(
  callerNames.map((caller) => [
    caller,
    new Map(Object.entries<readonly string[]>(callees[caller]).map(([callee, rpcs]) => [callee, new Set(rpcs)])),
  ]),
);

/** Judges whether a caller may call an rpc of a service. */
export type MayCall = (caller: CallerName, callee: ServiceName, rpc: string) => boolean;

// Opens a lane (tripe.lane.v1), which every service serves. It is for all who may call the service: each call in it is judged for itself.
const LANE_RPC = "Carry";

/** Says whether `caller` may call the rpc of that name of `callee`. */
export function mayCall(caller: CallerName, callee: ServiceName, rpc: string): boolean {
  const rpcs = allowed.get(caller)?.get(callee);
  return rpcs !== undefined && (rpcs.has(rpc) || rpc === LANE_RPC);
}

/** The rpcs of `callee` that `caller` may call; none for most pairs. */
export function rpcsOf(caller: CallerName, callee: ServiceName): readonly string[] {
  return [...(allowed.get(caller)?.get(callee) ?? [])];
}

/** Says whether `caller` may call anybody at all. */
export function callsAnybody(caller: CallerName): boolean {
  return Object.keys(callees[caller]).length > 0;
}

/** Says whether a word names a service. */
export function isServiceName(word: string): word is ServiceName {
  return (serviceNames as readonly string[]).includes(word);
}

/** Says whether a word names somebody who may start a call. */
export function isCallerName(word: string): word is CallerName {
  return (callerNames as readonly string[]).includes(word);
}

/** Reads the name of a caller; undefined when the word is none. */
export function readCaller(word: string | undefined): CallerName | undefined {
  return word !== undefined && isCallerName(word) ? word : undefined;
}
