/**
 * The settings of the embedded Postgres, given on its command line so that a new Tripe's settings reach an old data
 * folder at its next start.
 */
export const embeddedSettings: Readonly<Record<string, string>> = {
  // Nine services' pools (at most 10 each) and tools, with room; an idle connection costs about 2 MB.
  max_connections: "150",
  // One payment processor's hot rows fit; Postgres' own advice of a quarter of the memory is for machines of its own.
  shared_buffers: "128MB",
  max_wal_size: "1GB",
  // An acknowledged charge is on disk. The default, said here since everything rests on it.
  synchronous_commit: "on",
  shared_preload_libraries: "pg_stat_statements",
  // Statements are small and many: compiling one or splitting it over processes costs more than it saves.
  jit: "off",
  // A deadlock is found before a wait for a lock is given up: with the default of 1 s both sides met the roles' lock_timeout
  // of 1 s instead, and neither was tried again.
  deadlock_timeout: "200ms",
  max_parallel_workers_per_gather: "0",
  // A fresh Tripe's tables are empty one minute and hold 60,000 charges the next: plans follow within seconds.
  autovacuum_naptime: "10s",
  timezone: "UTC",
  log_timezone: "UTC",
  // No values in the log (7-reliability.md, T45): errors quote them, so errors go to the client that made them and not
  // to the log ("log" stands above "error" there), and statements and parameters are never written.
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
  log_error_verbosity: "terse",
  log_checkpoints: "off",
};

/** What a test's Postgres is told besides: nothing of it survives the run, so nothing waits for the disk. */
export const testSettings: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
  // The default: fifty databases that live for seconds need no visit every tenth of one.
  autovacuum_naptime: "1min",
  // Clones of the template are made by copying files, and dropped again: about 25 ms each.
  max_wal_size: "256MB",
  shared_buffers: "64MB",
};
