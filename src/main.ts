import { EXIT } from './cli/exit-code.ts';
import { main } from './cli/program.ts';

// Who reads no further (`rkt list | head -1`) has what they want: not an error, and no stack.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure);
});

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
