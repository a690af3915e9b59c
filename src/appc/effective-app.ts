import type { App } from './app.ts';
import { refuse } from './errors.ts';
import type { ImageManifest } from './image-manifest.ts';
import type { RuntimeApp } from './pod-manifest.ts';

/**
 * What is executed: the pod manifest's app if it has one, as a whole, else the image's. Throws AppcError
 * `no-app` when neither says what to run.
 */
export function effectiveApp(image: ImageManifest, runtimeApp: RuntimeApp): App {
  const app = runtimeApp.app ?? image.app;
  if (app) return app;
  throw refuse(
    'no-app',
    '',
    `app ${runtimeApp.name}: neither the pod nor image ${image.name} says what to run`,
  );
}
