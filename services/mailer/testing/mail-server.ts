import { SMTPServer, type SMTPServerAddress, type SMTPServerSession } from "smtp-server";

/** An answer of a mail server that is no yes: "451 try later". */
export type Answer = `${4 | 5}${number} ${string}`;

/** How a mail server behaves; it takes everything unless told otherwise. */
export interface Behaviour {
  readonly greeting?: Answer;
  readonly sender?: Answer;
  /** What it answers to a recipient; undefined for yes. */
  readonly recipient?: (address: string) => Answer | undefined;
  /** What it answers to the final dot, or what it does instead: cut the line, or say nothing for ever. */
  readonly dot?: Answer | "cut" | "silence" | undefined;
  /** Cuts the line at the first recipient. */
  readonly cutsAtRecipient?: boolean;
  /** Where it listens; default a free port. */
  readonly port?: number;
}

/** A real mail server for tests, on this machine. */
export interface TestServer {
  readonly url: string;
  /** Every mail it was sent to the final dot, whatever it answered. */
  readonly received: { readonly recipients: readonly string[]; readonly bytes: Buffer }[];
  /** Every user and password it was sent; it never offers STARTTLS. */
  readonly logins: readonly string[];
  /** The most connections it ever had open at once. */
  mostConnections(): number;
  close(): Promise<void>;
}

/** Starts a mail server that behaves as told. */
export async function startServer(behaviour: Behaviour = {}): Promise<TestServer> {
  const received: { recipients: string[]; bytes: Buffer }[] = [];
  const logins: string[] = [];
  let mostConnections = 0;
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 50,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username}:${password}`);
      done(null, { user: username });
    },
    onConnect: (_session, done) => {
      mostConnections = Math.max(mostConnections, server.connections.size);
      done(errorOf(behaviour.greeting));
    },
    onMailFrom: (_address, _session, done) => done(errorOf(behaviour.sender)),
    onRcptTo: (address, session, done) => {
      if (behaviour.cutsAtRecipient === true) cut(server, session);
      else done(errorOf(behaviour.recipient?.(address.address)));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        received.push({ recipients: session.envelope.rcptTo.map(addressOf), bytes: Buffer.concat(chunks) });
        if (behaviour.dot === "cut") cut(server, session);
        else if (behaviour.dot !== "silence") done(errorOf(behaviour.dot));
      });
    },
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(behaviour.port ?? 0, "127.0.0.1", () => resolve()));
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    logins,
    mostConnections: () => mostConnections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function errorOf(answer: Answer | undefined): Error | undefined {
  if (answer === undefined) return undefined;
  const [code, ...words] = answer.split(" ");
  return Object.assign(new Error(words.join(" ")), { responseCode: Number(code) });
}

function cut(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) {
    if (connection.session.id === session.id) connection._socket.destroy();
  }
}

function addressOf({ address }: SMTPServerAddress): string {
  return address;
}
