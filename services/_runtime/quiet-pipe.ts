/**
 * Lets a program whose output is cut off end without a word, as with `| head`: the reader has what it wanted. What the program does
 * besides printing goes on, and its exit code stays. Called once, before anything is printed.
 */
export function endQuietlyWithReader(output: NodeJS.WriteStream = process.stdout): void {
  output.on("error", (error: NodeJS.ErrnoException) => {
    // Windows reports EOF.
    if (error.code !== "EPIPE" && error.code !== "EOF") throw error;
  });
}
