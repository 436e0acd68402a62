import { type CallerName, type ServiceName, serviceNames } from "./topology.ts";

/** What reads a setting: a process of Tripe, the supervisor that starts them all, or the tools (`npm run demo` and such). */
export type SettingReader = CallerName | "sandboxBank" | "supervisor" | "tools";

/** One setting, as the README's table shows it. */
export interface Setting {
  /** The value that an absent variable stands for. */
  readonly default?: string;
  /** What holds when it is absent, for a setting without a default value. */
  readonly absent?: string;
  /** One or two sentences, in Markdown. */
  readonly meaning: string;
  /** The processes that read it. The supervisor takes it out of the environment of every other process that it starts. */
  readonly readers: readonly SettingReader[];
  /** Settings of one pattern share a row in the README. */
  readonly pattern?: string;
  /** Makes Tripe fail on purpose: set by tests alone. */
  readonly isForTests?: true;
}

const everyProcess: readonly SettingReader[] = [...serviceNames, "edge", "sandboxBank", "supervisor", "tools"];

/** Where callers find one service. */
type AddressName = `TRIPE_${Uppercase<ServiceName>}_ADDRESS`;

const addressRow = (service: string): Setting => ({
  absent: "its socket, or its port on `TRIPE_SERVICES_HOST`",
  meaning: `Where callers find the ${service} service: \`unix:/path\` or \`host:port\`, or a list, with commas, of those that share the calls.`,
  readers: ["edge", "scheduler", "transactions", "tools"],
  pattern: "TRIPE_<SERVICE>_ADDRESS",
});

// Written out, so that the name of each is part of the type.
const addresses: Readonly<Record<AddressName, Setting>> = {
  TRIPE_READER_ADDRESS: addressRow("reader"),
  TRIPE_WRITER_ADDRESS: addressRow("writer"),
  TRIPE_PDF_ADDRESS: addressRow("pdf"),
  TRIPE_BANK_ADDRESS: addressRow("bank"),
  TRIPE_SCHEDULER_ADDRESS: addressRow("scheduler"),
  TRIPE_TRANSACTIONS_ADDRESS: addressRow("transactions"),
  TRIPE_MAILER_ADDRESS: addressRow("mailer"),
  TRIPE_WEBHOOKS_ADDRESS: addressRow("webhooks"),
};

/**
 * Every setting of Tripe. `readConfig` reads these variables and no other, the supervisor hands each process its own, and
 * `npm run check -- --fix` writes the README's table from here.
 */
export const settings = {
  PORT: {
    default: "8080",
    meaning: "The edge's port. The embedded Postgres has the tenth after it, so two Tripes need distant ones.",
    readers: everyProcess,
  },
  TRIPE_LISTEN_HOST: {
    default: "127.0.0.1",
    meaning: "The address that the edge listens on; `0.0.0.0` for every address of the machine.",
    readers: ["edge", "supervisor", "tools"],
  },
  TRIPE_TLS_CERT: {
    absent: "HTTP",
    meaning:
      "A PEM file of the edge's certificate, followed by the chain that it is served with: the edge then speaks HTTPS alone. Replaced " +
      "files are used within seconds. Needs `TRIPE_TLS_KEY`.",
    readers: ["edge", "supervisor", "tools"],
  },
  TRIPE_TLS_KEY: {
    absent: "HTTP",
    meaning: "A PEM file of that certificate's private key, without a passphrase.",
    readers: ["edge", "supervisor", "tools"],
  },
  TRIPE_SERVICES_HOST: {
    absent: "Unix sockets",
    meaning: "The address that the services listen on over TCP, at the ports after `PORT`. Needs `TRIPE_TLS_DIR`.",
    readers: everyProcess,
  },
  TRIPE_TLS_DIR: {
    absent: "no TCP between services",
    meaning:
      "The folder of `ca.pem` and `<name>.pem`, which `npm run certificates` makes: mutual TLS between services.",
    readers: everyProcess,
  },
  TRIPE_RUN_DIR: {
    absent: "`<data dir>/run`, or a folder in `/tmp` where that path is too long",
    meaning: "The folder of sockets, which no other user may enter.",
    readers: everyProcess,
  },
  TRIPE_DATA_DIR: {
    default: ".tripe",
    meaning: "The folder of everything Tripe keeps: database, keys, logs, mails.",
    readers: everyProcess,
  },
  TRIPE_LOG_MB: {
    default: "64",
    meaning: "The size in MB at which a log in `<data dir>/logs` is moved aside; four older ones are kept.",
    readers: everyProcess,
  },
  TRIPE_SECRET_KEY: {
    absent: "made once, kept in the data dir",
    meaning: "Fixes the sandbox secret key: `sk_test_` and 8 to 200 letters or digits.",
    readers: ["supervisor", "tools"],
  },
  TRIPE_ACCOUNT_NAME: {
    absent: "unchanged",
    meaning: "The merchant's name on invoices and in mails.",
    readers: ["supervisor"],
  },
  TRIPE_ACCOUNT_EMAIL: {
    absent: "unchanged",
    meaning: "The merchant's address: replies and notices go there.",
    readers: ["supervisor"],
  },
  TRIPE_ACCOUNT_ADDRESS: {
    absent: "unchanged",
    meaning: "The merchant's postal address, as lines on an invoice.",
    readers: ["supervisor"],
  },
  TRIPE_FEE: {
    default: "none",
    meaning:
      "What Tripe keeps of each charge, also when it is returned: a rate and a fixed part in hundredths of a unit, such as " +
      "`2.9%+30`. For the accounts that the first start makes.",
    readers: ["supervisor"],
  },
  DATABASE_URL: {
    absent: "an embedded Postgres",
    meaning:
      "A Postgres of your own, 15 or newer: `postgres://user:password@host/database`, or a socket's folder as `?host=/run/postgresql`. `sslmode=require` means `verify-full`.",
    readers: ["reader", "writer", "supervisor", "tools"],
  },
  SMTP_URL: {
    absent: "files in `<data dir>/mail`",
    meaning:
      "A mail server, `smtp://user:password@host:port` or `smtps://…`; needs `TRIPE_ACCOUNT_EMAIL`. On another machine a password is sent over TLS alone, unless `?requireTLS=false` is said.",
    readers: ["mailer", "supervisor"],
  },
  TRIPE_ACQUIRER_ADDRESS: {
    absent: "the sandbox bank is started",
    meaning:
      "The bank of sandbox accounts, which speaks ISO 8583: `tls://host:port`, or `host:port` without TLS on this machine. `?tls=no` permits " +
      "another machine without TLS.",
    readers: ["bank", "supervisor", "tools"],
  },
  TRIPE_ACQUIRER_ID: {
    default: "000001",
    meaning:
      "The id that the bank gave the company that runs this Tripe (acquiring institution, ISO 8583 element 32): up to 11 digits.",
    readers: ["bank"],
  },
  TRIPE_ACQUIRER_PASSWORD: {
    absent: "none for a bank of your own",
    meaning:
      "What signs on at the bank (message security code, ISO 8583 element 96): 32 hexadecimal digits. The sandbox bank's is made by `npm start`.",
    readers: ["bank", "sandboxBank", "supervisor"],
  },
  TRIPE_ACQUIRER_CA: {
    absent: "the system's certificates",
    meaning: "A PEM file of the authorities that may sign the bank's certificate.",
    readers: ["bank", "supervisor"],
  },
  TRIPE_ACQUIRER_CERT: {
    absent: "no client certificate",
    meaning: "A PEM file of the client certificate shown to the bank.",
    readers: ["bank", "supervisor"],
  },
  TRIPE_ACQUIRER_KEY: {
    absent: "no client certificate",
    meaning: "A PEM file of that certificate's private key.",
    readers: ["bank", "supervisor"],
  },
  TRIPE_LIVE_ACQUIRER_ADDRESS: {
    absent: "live charges are refused",
    meaning: "The bank of live accounts, said as `TRIPE_ACQUIRER_ADDRESS` is.",
    readers: ["bank", "edge", "supervisor", "tools"],
  },
  TRIPE_LIVE_ACQUIRER_ID: {
    default: "000001",
    meaning: "As `TRIPE_ACQUIRER_ID`, for the bank of live accounts.",
    readers: ["bank"],
  },
  TRIPE_LIVE_ACQUIRER_PASSWORD: {
    absent: "none",
    meaning: "As `TRIPE_ACQUIRER_PASSWORD`, for the bank of live accounts.",
    readers: ["bank", "supervisor"],
  },
  TRIPE_LIVE_ACQUIRER_CA: {
    absent: "the system's certificates",
    meaning: "As `TRIPE_ACQUIRER_CA`, for the bank of live accounts.",
    readers: ["bank", "edge", "supervisor"],
  },
  TRIPE_LIVE_ACQUIRER_CERT: {
    absent: "no client certificate",
    meaning: "As `TRIPE_ACQUIRER_CERT`, for the bank of live accounts.",
    readers: ["bank", "edge", "supervisor"],
  },
  TRIPE_LIVE_ACQUIRER_KEY: {
    absent: "no client certificate",
    meaning: "As `TRIPE_ACQUIRER_KEY`, for the bank of live accounts.",
    readers: ["bank", "edge", "supervisor"],
  },
  TRIPE_CARD_KEY: {
    absent: "made once, kept in the data dir",
    meaning: "The keys that seal card numbers, newest first (services/bank/README.md).",
    readers: ["bank", "supervisor"],
  },
  TRIPE_BACKUP_PASSPHRASE_FILE: {
    absent: "asked for at the terminal",
    meaning: "A file whose first line is the passphrase of `npm run backup` and `npm run restore`.",
    readers: ["tools"],
  },
  TRIPE_WEBHOOKS_LOOPBACK: {
    absent: "for sandbox accounts, while the edge listens on loopback",
    meaning: "`yes` or `no`, for every account: whether webhooks may go to this machine.",
    readers: ["edge", "webhooks", "supervisor"],
  },
  TRIPE_WEBHOOKS_CLOSED_PORTS: {
    absent: "Tripe's own, and those of its database, bank and mail server",
    meaning: "More ports of this machine that no webhook goes to, such as `6379,9200`.",
    readers: ["edge", "webhooks", "supervisor"],
  },
  TRIPE_PUBLIC_URL: {
    absent: "the request's host for sandbox accounts, no links for live ones",
    meaning: "The origin of every link, in answers and in webhooks, such as `https://pay.example.com`.",
    readers: ["edge", "webhooks", "supervisor"],
  },
  TRIPE_TRUSTED_PROXIES: {
    absent: "none",
    meaning: "Addresses and networks, such as `10.0.0.0/8`, whose `X-Forwarded-For`, `-Proto` and `-Host` count.",
    readers: ["edge"],
  },
  TRIPE_PDF_LINK_DAYS: {
    default: "30",
    meaning: "How many days past its due date the link to an invoice's PDF opens.",
    readers: ["edge", "webhooks"],
  },
  TRIPE_EDGE_ACTIONS: {
    default: "customers,charges,returns,subscriptions,invoices",
    meaning: "The actions that this edge serves.",
    readers: ["edge", "supervisor"],
  },
  ...addresses,
  TRIPE_SANDBOX_PORT: {
    absent: "a socket",
    meaning:
      "The port of the sandbox bank on 127.0.0.1, for banking programs of your own, which sign on with its password (services/bank/README.md).",
    readers: ["bank", "sandboxBank", "supervisor", "tools"],
  },
  TRIPE_BANK_FAULTS: {
    absent: "no faults",
    meaning:
      "Faults of the sandbox bank: a seed and percentages, such as `42:lose=5,drop=5` (services/bank/README.md).",
    readers: ["sandboxBank", "supervisor"],
  },
  TRIPE_CRASH_AT: {
    absent: "never",
    meaning: "Each process kills itself at its so many-th crash point.",
    readers: everyProcess,
    isForTests: true,
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** The name of a variable that Tripe reads. */
export type SettingName = keyof typeof settings;

/** Every setting with its name, in the order of the README. */
export const settingEntries: readonly (readonly [SettingName, Setting])[] = Object.keys(settings)
  .filter(isSettingName)
  .map((name) => [name, settings[name]]);

/** Says whether a word names a setting. */
export function isSettingName(word: string): word is SettingName {
  return Object.hasOwn(settings, word);
}
