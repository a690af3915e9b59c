/**
 * Time without `performance`, which Node loads when it is first asked for: that takes longer than most of what is to be timed.
 */

/** Milliseconds from one moment to another: only differences mean something. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Half of what Date leaves out, on the average. */
const began = Date.now() + 0.5 - monotonic();

/** Milliseconds since 1970, right to one half; from one call to the next it is right to a microsecond. */
export function realtime(): number {
  return began + monotonic();
}

/** As `realtime`, of the moment when this process began. */
export function processStart(): number {
  return realtime() - process.uptime() * 1000;
}
