import { TestRegistry } from '../test/support/registry.ts';
import { peakMemory } from './measure/peak-memory.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, type Measured, runsFromArguments, type Subject } from './measure/samples.ts';
import { ScratchDisk } from './measure/scratch-disk.ts';
import { timed } from './measure/timed.ts';
import { type Client, clients, REPOSITORY, rkt } from './pulled-image/clients.ts';
import { type PulledImage, pulledImages } from './pulled-image/layout.ts';
import { fillStore } from './pulled-image/many-images.ts';

/** Pulling takes this much of what the faster of the others takes. */
const PULL_GOAL = 0.8;
/** A second image of which four layers of five are there takes this much of a first. */
const SHARED_GOAL = 0.3;
/** In MB, with all that the command starts. */
const MEMORY_GOAL = 150;
/** Listing so many images takes so many times as long as `rkt version`. */
const LISTED = 500;
const LIST_GOAL = 2;

const runs = runsFromArguments(5);
const layout = await pulledImages();
const registry = await TestRegistry.start();
const disk = new ScratchDisk();
try {
  for (const image of ['first', 'second'] satisfies PulledImage[])
    await registry.push(`oci:${layout}:${image}`, `${REPOSITORY}:${image}`);
  await measurePulls(clients(registry.address));
  await measureMemory(clients(registry.address)[0]);
  await measureListing();
} finally {
  await disk.close();
  await registry.close();
}

async function measurePulls(all: readonly Client[]): Promise<void> {
  const subjects = all.map((client): Subject => {
    const measure = async () => {
      await disk.renew();
      return [await pull(client, 'first'), await pull(client, 'second')];
    };
    return { name: client.name, measure };
  });
  const [own, ...others] = await interleave(subjects, runs);
  const rows = [own, ...others].map((row) => [
    row?.name ?? '',
    ...[0, 1].map((at) => milliseconds(of(row, at))),
  ]);
  printTable([['median', 'first', 'second, with 4 of 5 layers there'], ...rows]);
  const fastest = Math.min(...others.map((other) => of(other, 0)));
  printGoal('a pull beside the faster of the others', of(own, 0) / fastest, PULL_GOAL);
  printGoal('a second that shares four layers, beside the first', of(own, 1) / of(own, 0), SHARED_GOAL);
  printGoal('the same, beside the first of the faster of the others', of(own, 1) / fastest, SHARED_GOAL);
}

function of(row: Measured | undefined, column: number): number {
  return row?.medians[column] ?? Number.NaN;
}

/** In milliseconds. */
async function pull(client: Client, image: PulledImage): Promise<number> {
  let total = 0;
  for (const command of client.commands(disk.directory, image)) total += (await timed(command)).exit;
  return total;
}

async function measureMemory(client: Client): Promise<void> {
  await disk.renew();
  const [command = []] = client.commands(disk.directory, 'first');
  printGoal('memory of that pull', await peakMemory(command), MEMORY_GOAL, ' MB');
}

async function measureListing(): Promise<void> {
  await disk.renew();
  await fillStore(`${disk.directory}/data`, disk.directory, LISTED);
  const subject = (name: string, args: readonly string[]): Subject => {
    const argv = [...rkt(disk.directory), ...args];
    return { name, measure: async () => [(await timed(argv)).exit] };
  };
  const measured = await interleave(
    [subject('version', ['version']), subject('list', ['image', 'list'])],
    15,
  );
  const [version, list] = measured.map((row) => of(row, 0));
  printGoal(
    `rkt image list of ${LISTED} images beside rkt version`,
    (list ?? Number.NaN) / (version ?? Number.NaN),
    LIST_GOAL,
  );
}
