import { LOG_SIZE_ANNOTATION, LOG_SIZE_DEFAULT, type LogStream, parseLogSize } from '../abi/log.ts';
import { appLogs, POD } from '../abi/pod-directory.ts';
import { annotationValue, type PodManifest } from '../appc/index.ts';
import { chmod, mkdirAll } from '../native/paths.ts';
import { LogClock } from './log-clock.ts';
import { type LogSettings, LogWriter } from './log-writer.ts';

const DIRECTORY_MODE = 0o2750;

/** The logs of a pod's apps. That one cannot be kept is said once, whichever it is. */
export class AppLogs {
  readonly #settings: LogSettings;
  #isReady = false;
  #hasWarned = false;

  /** @throws AbiError when the manifest asks for a size that cannot be */
  constructor({ annotations }: PodManifest, warn: (message: string) => void) {
    const size = annotationValue(annotations, LOG_SIZE_ANNOTATION);
    this.#settings = {
      bytes: size === undefined ? LOG_SIZE_DEFAULT : parseLogSize(size),
      clock: new LogClock(),
      refused: ({ message }) => {
        if (!this.#hasWarned)
          warn(`the apps' output is dropped from their logs until there is room: ${message}`);
        this.#hasWarned = true;
      },
    };
  }

  writer(app: string, stream: LogStream): LogWriter {
    this.#makeDirectory();
    return new LogWriter(appLogs(app), stream, this.#settings);
  }

  #makeDirectory(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    mkdirAll(POD.logs, DIRECTORY_MODE);
    // The umask may have cut the mode.
    chmod(POD.logs, DIRECTORY_MODE);
  }
}
