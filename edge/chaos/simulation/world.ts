import { guardDatabase } from "../../../services/_database/guard.ts";
import { type ClientsOf, contracts, createClients } from "../../../services/_runtime/clients.ts";
import { createHost } from "../../../services/_runtime/host.ts";
import { fixedKeys } from "../../../services/_runtime/key-files.ts";
import { silentLog } from "../../../services/_runtime/log.ts";
import type { CallerName, ServiceName } from "../../../services/_runtime/topology.ts";
import { createRouter } from "../../../services/bank/router.ts";
import { createBank } from "../../../services/bank/service.ts";
import { createVault } from "../../../services/bank/vault.ts";
import { createReader } from "../../../services/reader/service.ts";
import { createTransactions } from "../../../services/transactions/service.ts";
import { createWriter } from "../../../services/writer/service.ts";
import type { SimulatedBank } from "./bank.ts";
import type { SimulatedDatabase } from "./database.ts";
import { createLife, type Fate, type Life } from "./fate.ts";
import { createLine, type Station } from "./network.ts";
import type { Weather } from "./weather.ts";

/** What a world is made of. */
export interface WorldParts {
  readonly fate: Fate;
  readonly weather: Weather;
  readonly database: SimulatedDatabase;
  readonly bank: SimulatedBank;
}

/** All services in one process, each in lives of its own. */
export interface World {
  clientsOf<Caller extends CallerName>(caller: Caller, life: Life): ClientsOf<Caller>;
  /** Before each turn: one may die, or stand still. */
  strike(): void;
}

/** Those that live here: what money needs, and schedulers, which only drive the resolver. Of who decides there are two. */
const PROCESSES = ["reader", "writer", "bank", "transactions", "transactions 2", "scheduler", "scheduler 2"] as const;

type ProcessName = (typeof PROCESSES)[number];
type Kind = "reader" | "writer" | "bank" | "transactions" | "scheduler";

/** The service that a process runs. */
const KINDS: Readonly<Record<ProcessName, Kind>> = {
  reader: "reader",
  writer: "writer",
  bank: "bank",
  transactions: "transactions",
  "transactions 2": "transactions",
  scheduler: "scheduler",
  "scheduler 2": "scheduler",
};

const log = silentLog;

/** The vault's master key: 32 bytes, any will do. */
const webhookKeys = fixedKeys("webhook", Buffer.alloc(32, 4).toString("hex"));
const vault = createVault(fixedKeys("card", Buffer.alloc(32, 3).toString("base64")));

/** A supervisor starts a process again within so long. */
const RESTART_MAX_MS = 2_000;

/** A pause is short, or long enough for every lease to end meanwhile. */
const PAUSE_MAX_MS = 45_000;

/** The resolver's sweep comes every second (scheduler/sweep.ts); a loaded machine's every few. In clear weather it is no part of the question. */
const SWEEP_MAX_MS = 4_000;
const CALM_SWEEP_MS = 20_000;
const ATTEMPTS_LIMIT = 100;

/** Makes the world and starts everybody in it. */
export function createWorld(parts: WorldParts): World {
  const { fate, weather } = parts;
  const { random } = fate;
  const lives = new Map<ProcessName, Life>();
  const stations = new Map<ProcessName, Station>();
  const endings = new Map<Life, () => void>();
  const supervisor = fate.clockOf(createLife("the supervisor"));
  const clientsOf = <Caller extends CallerName>(caller: Caller, life: Life) =>
    createClients({
      caller,
      clock: fate.clockOf(life),
      log,
      transportFor: (name) => createLine({ fate, weather, life, name, find: () => findStation(name) }),
    });
  /** Any of those that serve it, as a balancing client does. */
  const findStation = (name: ServiceName) => {
    const [first, ...others] = PROCESSES.flatMap((process) =>
      KINDS[process] === name ? (stations.get(process) ?? []) : [],
    );
    return first === undefined || others.length === 0 ? first : random.pick([first, ...others]);
  };
  const start = (process: ProcessName) => {
    const life = createLife(process);
    lives.set(process, life);
    const name = KINDS[process];
    if (name === "scheduler") return void sweep(parts, clientsOf(name, life), life);
    const clients = clientsOf("transactions", life);
    const host = createHost({ name, services: [serve(parts, name, clients, life)], log, clock: fate.clockOf(life) });
    const ended = new Promise<void>((resolve) => endings.set(life, resolve));
    stations.set(process, { host, life, ended });
  };
  const note = (process: ProcessName, what: string) => void fate.turn(createLife(process), what, () => undefined);
  const kill = (process: ProcessName) => {
    const life = lives.get(process);
    if (life === undefined || life.isOver) return;
    life.isOver = true;
    stations.delete(process);
    endings.get(life)?.();
    endings.delete(life);
    supervisor.setTimer(() => start(process), random.next() * RESTART_MAX_MS);
    note(process, "dies");
  };
  for (const process of PROCESSES) start(process);
  return {
    clientsOf,
    strike() {
      if (weather.kills()) kill(random.pick(PROCESSES));
      if (!weather.pauses()) return;
      const process = random.pick(PROCESSES);
      const life = lives.get(process);
      if (life !== undefined) life.asleepUntilMs = fate.nowMs() + Math.floor(random.next() * PAUSE_MAX_MS);
      note(process, "stands still");
    },
  };
}

/** Starts one life of a service; of these only transactions calls others. */
function serve(
  { fate, database, bank }: WorldParts,
  name: Exclude<Kind, "scheduler">,
  clients: ClientsOf<"transactions">,
  life: Life,
) {
  const clock = fate.clockOf(life);
  const connect = (role: "reader" | "writer") => guardDatabase(database.connect(role, life));
  switch (name) {
    case "reader":
      return { service: contracts.reader, implementation: createReader({ database: connect("reader") }) };
    case "writer":
      return {
        service: contracts.writer,
        implementation: createWriter({ database: connect("writer"), clock, webhookKeys }),
      };
    case "bank": {
      const router = createRouter({ banks: [{ name: "sandbox", connector: bank.connect(life), weight: 1 }], clock });
      return { service: contracts.bank, implementation: createBank({ router, vault, clock, log }) };
    }
    case "transactions": {
      const implementation = createTransactions({ clients, clock, log, random: fate.random.next });
      return { service: contracts.transactions, implementation };
    }
  }
}

/** What a scheduler does for money: it has what is due resolved, again and again. */
async function sweep({ fate, weather }: WorldParts, clients: ClientsOf<"scheduler">, life: Life): Promise<void> {
  const clock = fate.clockOf(life);
  for (;;) {
    await clock.sleep(weather.isClear() ? CALM_SWEEP_MS : fate.random.next() * SWEEP_MAX_MS);
    await clients.transactions.resolveAttempts({ limit: ATTEMPTS_LIMIT }).catch(() => undefined);
  }
}
