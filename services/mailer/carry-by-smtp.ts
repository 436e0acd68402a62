import type { Readable } from "node:stream";
import { enumToJson } from "@bufbuild/protobuf";
import { createTransport } from "nodemailer";
import { DeliveryStateSchema } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { isLoopbackHost } from "../_runtime/host-port.ts";
import type { Log } from "../_runtime/log.ts";
import type { Secret } from "../_runtime/secret.ts";
import type { Carrier, Fate } from "./carrier.ts";
import type { ComposedMail } from "./compose.ts";
import { serverProblemOf } from "./server-problem.ts";
import { fatesOfAnswer, fatesOfFailure, type SmtpFailure } from "./smtp-fates.ts";

// As many as small mail servers take from one client without complaint.
const CONNECTIONS_MAX = 5;
// A server that is there connects and greets within a second; the rpc's own limit is 15 s and must not run out first.
const CONNECT_MAX_MS = 5_000;
// Between two answers: RFC 5321 says minutes, but a slow answer to the final dot is UNKNOWN, not lost.
const SILENCE_MAX_MS = 10_000;

/** What a carrier over a mail server needs; `onTried` gets the problem after each mail, empty when the server answered. */
export interface SmtpCarrierOptions {
  readonly url: Secret;
  readonly log: Log;
  readonly onTried?: (problem: string) => void;
}

/** A carrier whose server can be tried without a mail. */
export interface SmtpCarrier extends Carrier {
  /** Connects, greets and logs in; resolves to the problem (server-problem.ts), empty when there is none. */
  tryServer(): Promise<string>;
}

/** Makes a carrier over a mail server, `smtp://user:password@host:port`, with a pool of connections. */
export function createSmtpCarrier({ url, log, onTried = () => undefined }: SmtpCarrierOptions): SmtpCarrier {
  const transport = createTransport({
    pool: true,
    ...protectPassword(url),
    maxConnections: CONNECTIONS_MAX,
    connectionTimeout: CONNECT_MAX_MS,
    greetingTimeout: CONNECT_MAX_MS,
    dnsTimeout: CONNECT_MAX_MS,
    socketTimeout: SILENCE_MAX_MS,
    // Only for a mail of which not one byte has left; anything else is the scheduler's to try again.
    maxRequeues: 1,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const handovers = new WeakMap<object, Readable>();
  // nodemailer does not say how far a mail had got when its connection broke. The stream it sends from does.
  transport.use("stream", (mail, done) => {
    const { raw } = mail.data;
    mail.message.processFunc((stream: Readable) => {
      if (typeof raw === "object" && raw !== null) handovers.set(raw, stream);
      return stream;
    });
    done();
  });
  return {
    tryServer: () =>
      transport.verify().then(
        () => "",
        (error: unknown) => serverProblemOf(toFailure(error)),
      ),
    async carry(mail, signal) {
      try {
        const raw = mail.bytes;
        const answer = await transport.sendMail({ raw, envelope: { from: mail.from, to: [...mail.to] }, signal });
        onTried("");
        return fatesOfAnswer(mail.to, answer);
      } catch (error) {
        const wasHandedOver = handovers.get(mail.bytes)?.readableEnded === true;
        const failure = toFailure(error);
        const fates = fatesOfFailure(mail.to, failure, wasHandedOver);
        logFates(log, mail, { failure, fates });
        // Cut short by us: the caller's time was over, which says nothing of the server.
        if (!signal.aborted) onTried(serverProblemOf(failure));
        return fates;
      }
    },
    close: () => transport.close(),
  };
}

/**
 * Without TLS a password crosses the network in clear, and a server that is no longer asked for STARTTLS, or says that it has none, takes
 * it so. Then no mail is sent, unless the server is on this machine or the url says `?requireTLS=false`.
 */
function protectPassword(secret: Secret): { url: string; requireTLS: boolean } {
  const url = new URL(secret.reveal());
  const isPlain = url.protocol === "smtp:" && url.searchParams.get("secure") !== "true";
  const isProtected =
    isPlain &&
    url.password !== "" &&
    url.searchParams.get("requireTLS") !== "false" &&
    !isLoopbackHost(url.hostname.replace(/^\[(.*)\]$/, "$1"));
  if (isProtected) for (const name of ["requireTLS", "ignoreTLS"]) url.searchParams.delete(name);
  return { url: isProtected ? url.href : secret.reveal(), requireTLS: isProtected };
}

function logFates(log: Log, mail: ComposedMail, { failure, fates }: { failure: SmtpFailure; fates: readonly Fate[] }) {
  const states = fates.map(({ state }) => enumToJson(DeliveryStateSchema, state));
  log.warn("a mail was not taken", { message_id: mail.messageId, states, code: failure.code, reply: failure.message });
}

function toFailure(error: unknown): SmtpFailure {
  if (error instanceof Error) return error;
  throw error;
}
