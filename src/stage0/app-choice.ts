import { Stage0Error } from './errors.ts';

/** The app that a command is about; undefined `wanted`: the pod has only one. Throws Stage0Error `bad-request`. */
export function chooseApp(command: string, apps: readonly string[], wanted: string | undefined): string {
  const [only, ...others] = apps;
  if (wanted === undefined && only !== undefined && others.length === 0) return only;
  const list = apps.join(', ');
  if (apps.length === 0) throw new Stage0Error('bad-request', 'pod contains zero apps');
  if (wanted === undefined)
    throw new Stage0Error(
      'bad-request',
      `pod contains multiple apps: ${list}: specify app using "rkt ${command} --app= ..."`,
    );
  if (!apps.includes(wanted))
    throw new Stage0Error('bad-request', `no app ${JSON.stringify(wanted)} in the pod: it has ${list}`);
  return wanted;
}
