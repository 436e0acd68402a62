/** What the database floor needs of a log; a pino logger is one. Fields never hold a statement's values. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
