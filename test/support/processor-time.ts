/** Milliseconds that this process has kept a processor busy during the action, whatever else the machine does meanwhile. */
export function processorTime(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
