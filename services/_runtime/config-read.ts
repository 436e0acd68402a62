import { type Setting, type SettingName, settings } from "./config-table.ts";
import { formatHostPort, parseHostPort } from "./host-port.ts";
import { createSecret, type Secret } from "./secret.ts";

/** The variables of a process's environment. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Reads a setting, or its default. An empty variable counts as absent: so a shell or a compose file leaves one out. */
export function read(env: Env, name: SettingName): string | undefined {
  const value = env[name]?.trim();
  const setting: Setting = settings[name];
  return value === undefined || value === "" ? setting.default : value;
}

/** Reads a text of at most `max` characters. */
export function readText(env: Env, name: SettingName, max: number): string | undefined {
  const value = read(env, name);
  if (value === undefined || value.length <= max) return value;
  throw new Error(`${name} must have at most ${max} characters`);
}

/** Reads one mail address. Checks its form alone: only a mail shows whether it exists. */
export function readEmail(env: Env, name: SettingName): string | undefined {
  const value = readText(env, name, 512);
  if (value === undefined || /^[^\s@<>",;]+@[^\s@<>",;]+$/.test(value)) return value;
  throw new Error(`${name} must be one address, such as "me@example.com", not "${value}"`);
}

/** Reads a whole number between two bounds, both included. */
export function readNumber(env: Env, name: SettingName, bounds: { min: number; max: number }): number | undefined {
  const value = read(env, name);
  if (value === undefined) return undefined;
  // Nine digits: beyond that no setting has a meaning.
  if (/^\d{1,9}$/.test(value) && Number(value) >= bounds.min && Number(value) <= bounds.max) return Number(value);
  throw new Error(`${name} must be a whole number from ${bounds.min} to ${bounds.max}, not "${value}"`);
}

/** Reads "yes" or "no". */
export function readSwitch(env: Env, name: SettingName): boolean | undefined {
  const value = read(env, name);
  if (value === undefined) return undefined;
  if (value === "yes" || value === "no") return value === "yes";
  throw new Error(`${name} must be "yes" or "no", not "${value}"`);
}

/** Reads a list of "unix:/path" or of "host:port", with commas; undefined when it is absent. */
export function readAddresses(env: Env, name: SettingName): readonly string[] | undefined {
  const value = read(env, name);
  if (value === undefined) return undefined;
  const addresses = value.split(",").map((word) => word.trim());
  const sockets = addresses.filter((address) => /^unix:\/./.test(address));
  if (sockets.length === addresses.length) return addresses;
  const places = addresses.map(parseHostPort).filter((place) => place !== undefined && place.port > 0);
  if (places.length === addresses.length) return places.flatMap((place) => (place ? [formatHostPort(place)] : []));
  throw new Error(`${name} must be host:port or unix:/path, or a list of one kind, not "${value}"`);
}

/** Reads the name or address of a host, IPv6 with or without brackets. */
export function readHost(env: Env, name: SettingName): string | undefined {
  const value = read(env, name);
  if (value === undefined) return undefined;
  const bare = /^\[(.*)\]$/.exec(value)?.[1] ?? value;
  const place = parseHostPort(formatHostPort({ host: bare, port: 1 }));
  if (place !== undefined) return place.host;
  throw new Error(`${name} must be a host's name or address, such as 127.0.0.1, not "${value}"`);
}

/** Reads a url of one of the protocols. It may hold a password, so the refusal does not repeat it. */
export function readUrl(env: Env, name: SettingName, protocols: readonly string[]): Secret | undefined {
  const value = read(env, name);
  if (value === undefined) return undefined;
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return createSecret(value);
  throw new Error(`${name} must be an address that starts with ${protocols.map((word) => `${word}//`).join(" or ")}`);
}

/** Reads a secret of any form. */
export function readSecret(env: Env, name: SettingName): Secret | undefined {
  const value = read(env, name);
  return value === undefined ? undefined : createSecret(value);
}
