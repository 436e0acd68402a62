import type { StartService } from "../_runtime/hosting.ts";
import { createRenderer } from "./renderer.ts";
import { createPdf } from "./service.ts";

/** Starts the pdf service. Its printing thread starts with the first invoice. */
export const startPdf: StartService<"pdf"> = async ({ clock, log }) => {
  const renderer = createRenderer({ clock, log });
  return { implementation: createPdf({ renderer }), close: () => renderer.close() };
};
