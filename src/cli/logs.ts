import { once } from 'node:events';
import { type Command, InvalidArgumentError } from 'commander';
import { LOG_STREAMS, type LogStream } from '../abi/log.ts';
import { openHost } from '../stage0/host.ts';
import { type LogPart, logs } from '../stage0/logs.ts';
import { parseDuration } from './duration.ts';
import { boolean, choice, Flag, value, withLetter } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { gapText, LogText } from './log-text.ts';
import { warn } from './output.ts';
import { standardOutput } from './standard-output.ts';
import { subcommand } from './subcommand.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly app?: string;
  readonly follow?: boolean;
  readonly since?: number;
  readonly stream?: LogStream;
  readonly tail?: number;
  readonly timestamps?: boolean;
  readonly uuidFile?: string;
}

const FLAGS: readonly Flag[] = [
  new Flag('app', value('NAME'), 'of one app only (default: of all, each line after the name of its app)'),
  withLetter('f', new Flag('follow', boolean, 'go on until the pod has ended')),
  parsed(
    new Flag('since', value('TIME'), 'lines that are younger (10m), or from a time on (RFC 3339)'),
    sinceTime,
  ),
  parsed(new Flag('stream', choice('STREAM', LOG_STREAMS), 'stdout or stderr (default: both)'), streamName),
  parsed(new Flag('tail', value('LINES'), 'the last so many lines only'), lineCount),
  new Flag('timestamps', boolean, 'the time before each line'),
  new Flag('uuid-file', value('FILE'), 'read the UUID from a file'),
];

export function logsCommand(summary: string): Command {
  return subcommand('logs', summary, FLAGS, 'UUID')
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action(async (word: string | undefined, values: Values) => {
      const uuid = uuidArgument(word === undefined ? [] : [word], values.uuidFile);
      const { app, follow = false, since, stream, tail, timestamps = false } = values;
      const text = new LogText(timestamps);
      const portions = logs(openHost(hostOptions(values)), { uuid, app, stream, since, tail, follow });
      for await (const { severalApps, parts } of portions) {
        text.showsApps = severalApps && app === undefined;
        await show(parts, text);
      }
    });
}

const CHUNK_BYTES = 65536;

/** In writes that are not too small: lines are. */
async function show(parts: Iterable<LogPart>, text: LogText): Promise<void> {
  let pending: Buffer[] = [];
  let bytes = 0;
  const flush = async () => {
    const chunk = Buffer.concat(pending);
    [pending, bytes] = [[], 0];
    if (chunk.length > 0 && !standardOutput().write(chunk)) await once(standardOutput(), 'drain');
  };
  for (const part of parts) {
    for (const piece of part.kind === 'line' ? text.line(part) : text.finish()) {
      pending.push(piece);
      bytes += piece.length;
    }
    if (part.kind === 'gap' || bytes >= CHUNK_BYTES) await flush();
    if (part.kind === 'gap') warn('logs', gapText(part));
  }
  await flush();
}

function parsed(flag: Flag, parse: (text: string) => unknown): Flag {
  flag.argParser(parse);
  return flag;
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** In microseconds since 1970. */
function sinceTime(text: string): number {
  if (!RFC_3339.test(text)) return (Date.now() - parseDuration(text)) * 1000;
  const [, fraction = ''] = /\.(\d+)/.exec(text) ?? [];
  const seconds = Date.parse(text.replace(/\.\d+/, '').replace(' ', 'T').toUpperCase()) / 1000;
  if (Number.isNaN(seconds)) throw new InvalidArgumentError(`${JSON.stringify(text)} is no time`);
  return seconds * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

function streamName(text: string): LogStream {
  const stream = LOG_STREAMS.find((name) => name === text);
  if (stream === undefined)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is neither ${LOG_STREAMS.join(' nor ')}`);
  return stream;
}

function lineCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${JSON.stringify(text)} is no number of lines`);
}
