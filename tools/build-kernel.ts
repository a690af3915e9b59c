/** Makes our kernel, and from now on stage1-kvm's image with it. */
import { build } from './build.ts';
import { useOwnKernel } from './kernel-choice.ts';
import { buildOwnKernel } from './own-kernel.ts';
import { program } from './program.ts';
import { step } from './step.ts';

await program(async () => {
  process.stdout.write('our kernel: a quarter of an hour of one processor, unless it is there\n');
  const key = await step('our kernel', async (note) => {
    const built = await buildOwnKernel();
    note(built.outcome);
    return built.key;
  });
  await useOwnKernel(key);
  await build();
  return 0;
});
