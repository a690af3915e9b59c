import { main } from './cli/program.ts';
import { whenUnread } from './cli/standard-output.ts';

whenUnread((code) => process.exit(code));

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
