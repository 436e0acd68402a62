import { userInfo } from "node:os";

/** The words of sslmode (libpq's, and `no-verify`, the driver's own), and what each means here. */
const tlsModes: Readonly<Record<string, string>> = {
  disable: "disable",
  // libpq would encrypt without asking who answers, or not at all. Here, encrypted is verified.
  prefer: "verify-full",
  require: "verify-full",
  "verify-ca": "verify-full",
  "verify-full": "verify-full",
  "no-verify": "no-verify",
};

/**
 * Reads an address of Postgres in any of the forms that libpq's programs take (a socket's folder as `?host=`, or as a host
 * with %2F; user and password in the query; no host, user or database), and returns it as a URL with host, user and database
 * in their places, so that another user can be put there. Throws in words without the value, which may hold a password.
 */
export function parseDatabaseUrl(name: string, text: string): string {
  const match = /^postgres(?:ql)?:\/\/([^@/?#]*@)?([^/?#]*)(.*)$/s.exec(text);
  if (match === null) throw new Error(`${name} must be an address that starts with postgres:// or postgresql://`);
  const [, user = "", host = "", rest = ""] = match;
  if (host.includes(",")) throw new Error(`${name} must name one host: several with commas between are not supported`);
  // Without a host the driver connects to this machine. A URL needs one, or its user could not be changed.
  const address = `postgres://${user}${host === "" || host.startsWith(":") ? `localhost${host}` : host}${rest}`;
  if (!URL.canParse(address)) {
    const advice =
      "a special character of the user or password is written as %40 for @, %3A for :, %2F for /, %23 for #";
    throw new Error(`${name} cannot be read as postgres://user:password@host:port/database (${advice})`);
  }
  const url = new URL(address);
  if (url.hash !== "") throw new Error(`${name} has a #: in a password it is written as %23`);
  takeQuery(url);
  if (url.username === "") url.username = userInfo().username;
  if (url.pathname === "" || url.pathname === "/") url.pathname = `/${url.username}`;
  readTlsMode(name, url);
  return url.href;
}

/** Says where a database is, for people: host and port, or a socket's folder; never with a password. */
export function placeOfDatabase(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const host = url.searchParams.get("host") ?? decodeURIComponent(url.hostname);
  const port = url.searchParams.get("port") ?? url.port;
  return port === "" ? host : `${host}:${port}`;
}

/** In the query these would go before the user, password and database in their places. */
function takeQuery(url: URL): void {
  const take = (key: string) => {
    const value = url.searchParams.get(key);
    url.searchParams.delete(key);
    return value;
  };
  const [user, password, database] = [take("user"), take("password"), take("dbname")];
  if (user !== null) url.username = encodeURIComponent(user);
  if (password !== null) url.password = encodeURIComponent(password);
  if (database !== null) url.pathname = `/${encodeURIComponent(database)}`;
}

function readTlsMode(name: string, url: URL): void {
  const mode = url.searchParams.get("sslmode");
  // Whoever asks for libpq's meaning by the driver's own word gets it.
  if (mode === null || url.searchParams.get("uselibpqcompat") === "true") return;
  const meant = tlsModes[mode];
  if (meant === undefined) {
    throw new Error(`${name} has sslmode=${mode}: it must be one of ${Object.keys(tlsModes).join(", ")}`);
  }
  url.searchParams.set("sslmode", meant);
}
