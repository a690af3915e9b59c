import { expect, test } from 'vitest';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();

// The reader is gone before the first byte: it closes its end at once, and the command begins when it has.
test.each([[['list']], [['config']], [['image', 'list']], [['run', '--help']], [['--help']]])(
  '%s has nothing to say to a reader that has gone',
  async (args) => {
    const script = '{ cat > "$FIFO.gone" < "$FIFO"; "$@"; echo "code $?" >&2; } | { exec <&-; : > "$FIFO"; }';
    const fifo = rkt.path(`${args.join('-')}.fifo`);
    const argv = ['/bin/sh', '-c', `mkfifo "$FIFO" && ${script}`, 'sh', ...rkt.argv(args)];
    const { stderr } = await rkt.startArgv(argv, { env: { FIFO: fifo } }).finished;
    expect(stderr).toBe('code 0\n');
  },
);
