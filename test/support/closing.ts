import { afterEach } from 'vitest';

/**
 * Gives a function for what each test of a file has opened: it is closed behind the test, the last first. The files of a worker
 * are one process.
 */
export function useClosing(): (close: () => void) => void {
  const open: (() => void)[] = [];
  afterEach(() => {
    for (const close of open.splice(0).reverse()) close();
  });
  return (close) => void open.push(close);
}
