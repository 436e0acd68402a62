import type { Certificates } from "./certificates.ts";
import type { Tokens } from "./tokens.ts";

/** What a caller proves its name with: tokens over sockets, its certificate over TCP. */
export interface Dialing {
  readonly tokens: Tokens["sent"];
  /** Undefined without TRIPE_TLS_DIR: then there is no TCP between services. */
  readonly certificates: Certificates | undefined;
}
