import { Worker } from "node:worker_threads";
import { Code } from "@connectrpc/connect";
import type { Clock } from "../_runtime/clock.ts";
import { createRefusal, refuse } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import type { PrintedInvoice } from "./print-invoice.ts";

/** What the printing thread answers: the file, or what it caught. */
export type RenderAnswer = { readonly printed: PrintedInvoice } | { readonly error: unknown };

/** Prints off the event loop. */
export interface Renderer {
  /**
   * Prints a serialized RenderInvoiceRequest, in its turn. Refuses with RENDER_BUSY when too many wait, and with
   * RENDER_TOO_LONG when the time limit ran out; what the thread throws is thrown here.
   */
  render(request: Uint8Array, signal: AbortSignal): Promise<PrintedInvoice>;
  /** Stops the thread; what it was printing fails. */
  close(): Promise<void>;
}

/** What `createRenderer` needs. */
export interface RendererOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The program of the printing thread; another one in tests. */
  readonly script?: URL;
}

// An invoice of 200 lines takes 0.2 s, one of 1,000 lines 1 s: what takes ten is stuck, or nothing anybody reads.
const TIME_LIMIT_MS = 10_000;
// As many as are printed in about ten seconds: who would wait longer has given up by then.
const WAITING_MAX = 64;
// Printing 1,000 lines stays below 150 MB; a thread that wants more is ended before the machine suffers.
const HEAP_MAX_MB = 384;

/** Makes a renderer with one thread, started at the first use and replaced when it hangs or dies. */
export function createRenderer(options: RendererOptions): Renderer {
  const { log, script = new URL("./render-worker.ts", import.meta.url) } = options;
  let worker: Worker | undefined;
  let waitingCount = 0;
  let lastTurn: Promise<unknown> = Promise.resolve();
  const drop = (reason: string) => {
    log.warn("the printing thread is replaced", { reason });
    void worker?.terminate();
    worker = undefined;
  };
  const start = () => {
    const started = startWorker(script);
    // One that dies between turns is missed at the next.
    started.once("exit", () => {
      if (worker === started) worker = undefined;
    });
    return started;
  };
  const runTurn = (request: Uint8Array) => {
    worker ??= start();
    return ask({ worker, request, clock: options.clock, drop });
  };
  return {
    async render(request, signal) {
      if (waitingCount >= WAITING_MAX) {
        refuse(Code.ResourceExhausted, "RENDER_BUSY", "too many invoices wait to be printed; try later");
      }
      waitingCount += 1;
      const turn = lastTurn.then(() => {
        signal.throwIfAborted();
        return runTurn(request);
      });
      lastTurn = turn.then(ignore, ignore);
      return turn.finally(() => {
        waitingCount -= 1;
      });
    },
    async close() {
      await worker?.terminate();
      worker = undefined;
    },
  };
}

function startWorker(script: URL): Worker {
  const worker = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB } });
  worker.unref();
  // Each turn listens for its own end; a thread that dies between turns must not end the process.
  worker.on("error", ignore);
  return worker;
}

interface Turn {
  readonly worker: Worker;
  readonly request: Uint8Array;
  readonly clock: Clock;
  /** Lets go of the thread, because it can no longer be trusted. */
  readonly drop: (reason: string) => void;
}

function ask({ worker, request, clock, drop }: Turn): Promise<PrintedInvoice> {
  const { promise, resolve, reject } = Promise.withResolvers<PrintedInvoice>();
  const onMessage = (answer: RenderAnswer) => {
    if ("printed" in answer) resolve(answer.printed);
    else reject(new Error("printing failed", { cause: answer.error }));
  };
  const onError = (cause: unknown) => {
    drop("it failed");
    reject(new Error("the printing thread failed", { cause }));
  };
  const onExit = () => {
    drop("it ended");
    reject(new Error("the printing thread ended"));
  };
  const cancel = clock.setTimer(() => {
    drop("it hung");
    reject(createRefusal(tooLong));
  }, TIME_LIMIT_MS);
  worker.on("message", onMessage).on("error", onError).on("exit", onExit);
  worker.postMessage(request);
  return promise.finally(() => {
    cancel();
    worker.off("message", onMessage).off("error", onError).off("exit", onExit);
  });
}

const tooLong = {
  code: Code.DeadlineExceeded,
  reason: "RENDER_TOO_LONG",
  message: `the invoice could not be printed within ${TIME_LIMIT_MS / 1_000} s`,
  field: "",
};

function ignore(): void {}
