import type { CardAcceptor } from "../connector.ts";

/** A merchant of tests. */
export const ACCEPTOR: CardAcceptor = {
  name: "Caf\u00e9 Tripe",
  city: "Z\u00fcrich",
  countryCode: "CH",
  merchantCategory: "5812",
  merchantId: "MERCHANT-000001",
  terminalId: "TERM0001",
  timeZone: "Europe/Zurich",
};
