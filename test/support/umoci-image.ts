import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tool } from './tool.ts';

/** An image that umoci builds layer by layer, in a layout with the tag `latest`. */
export class UmociImage {
  readonly layout: string;
  readonly #work: string;

  private constructor(directory: string) {
    this.layout = join(directory, 'layout');
    this.#work = join(directory, 'work');
  }

  /** `directory` holds the layout and, until it is finished, what it is built from. */
  static async create(directory: string): Promise<UmociImage> {
    mkdirSync(directory, { recursive: true });
    const image = new UmociImage(directory);
    await tool('umoci', ['init', '--layout', image.layout]);
    await tool('umoci', ['new', ...image.#flags]);
    await tool('umoci', ['unpack', ...image.#flags, image.#work]);
    return image;
  }

  /** Makes a layer of what is done to the tree. */
  async layer(change: (rootfs: string) => unknown): Promise<void> {
    await change(join(this.#work, 'rootfs'));
    await tool('umoci', ['repack', '--refresh-bundle', ...this.#flags, this.#work]);
  }

  /** Makes a layer by a shell script in the tree. */
  script(text: string): Promise<void> {
    return this.layer((rootfs) => tool('sh', ['-ec', `cd "$0"; ${text}`, rootfs]));
  }

  /** A layer without entries for the directories that it writes to. */
  insert(...args: readonly string[]): Promise<string> {
    return tool('umoci', ['insert', ...this.#flags, ...args]);
  }

  finish(): string {
    rmSync(this.#work, { recursive: true });
    return this.layout;
  }

  get #flags(): string[] {
    return ['--image', `${this.layout}:latest`];
  }
}
