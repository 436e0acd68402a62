import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { chromium, type Page } from "playwright-core";
import { afterAll } from "vitest";

/** Where Debian's package `chromium` puts the browser. */
const executablePath = "/usr/bin/chromium";

/** Whether there is a browser on this machine; `.ci/run` installs Debian's when it is root. */
export const hasBrowser: boolean = existsSync(executablePath);

/**
 * Opens an empty page in a headless browser, at an origin of its own on this machine. Page, browser and server end with the
 * file's tests.
 */
export async function openPage(): Promise<Page> {
  const server = createServer((_request, response) =>
    response.setHeader("content-type", "text/html").end("<!doctype html><title>A shop</title>"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Chromium's own sandbox needs a user that is not root, and namespaces; the pages are ours.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  afterAll(async () => {
    await browser.close();
    server.close();
  });
  const address = server.address();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`);
  return page;
}
