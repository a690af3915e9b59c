import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { build } from './build.ts';
import { writeDemoImage } from './demo-image.ts';
import { BuildError } from './error.ts';
import { rootDir } from './paths.ts';
import { program } from './program.ts';
import { step } from './step.ts';

// Two apps in one pod: they share the machine's localhost, each with a root file system of its own.
const serverScript = 'nc -l -p 8080 -e echo "hello from the other app of this pod"';
const clientScript =
  'echo "guest kernel: $(uname -r)"; until nc 127.0.0.1 8080 < /dev/null; do sleep 0.1; done';

await program(async () => {
  await build();
  process.stdout.write('demo\n');
  const dir = await mkdtemp(join(tmpdir(), 'rkt-demo-'));
  try {
    await demo(join(dir, 'busybox.aci'), join(dir, 'data'));
    return 0;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

async function demo(image: string, dataDir: string): Promise<void> {
  await step('an image of busybox', async () => writeFile(image, await writeDemoImage()));
  const global = ['--insecure-options=image', `--dir=${dataDir}`];
  const server = appArguments(image, 'server', serverScript);
  const client = appArguments(image, 'client', clientScript);
  const run = [...global, 'run', '--net=none', ...server, '---', ...client];
  process.stdout.write(`  $ rkt ${run.map(quoted).join(' ')}\n`);
  const output = await step('the pod, from command to exit', () => rkt(run));
  await step('rkt gc', () => rkt([...global, 'gc', '--grace-period=0s']));
  const guest = /guest kernel: (\S+)/.exec(output.text)?.[1];
  if (output.exitCode !== 0 || guest === undefined) {
    throw new BuildError('DEMO_FAILED', `the pod ended with exit code ${output.exitCode}`);
  }
  process.stdout.write(`\n  kernel of this host    ${release()}\n  kernel of the pod      ${guest}\n`);
}

function appArguments(image: string, name: string, script: string): string[] {
  return [image, '--name', name, '--exec', '/bin/sh', '--', '-c', script];
}

async function rkt(args: readonly string[]): Promise<{ text: string; exitCode: number }> {
  const result = await execa(join(rootDir, 'bin', 'rkt'), args, {
    stdin: 'ignore',
    stdout: ['inherit', 'pipe'],
    stderr: 'inherit',
    reject: false,
  });
  return { text: result.stdout, exitCode: result.exitCode ?? 1 };
}

function quoted(argument: string): string {
  return /^[\w./:=-]+$/.test(argument) ? argument : `'${argument}'`;
}
