import { describe, expect, test } from 'vitest';
import { parseACIdentifier, parseImageName } from '../../../../src/appc/index.ts';
import {
  type DiscoveryOptions,
  discoverImage,
  discoverPublicKeys,
} from '../../../../src/image/discovery/index.ts';
import { ImageError, type ImageEvent } from '../../../../src/image/index.ts';
import { type ScriptedAnswer, ScriptedClient } from '../../../support/scripted-client.ts';

const SECURE: DiscoveryOptions = { insecureHttp: false };
const INSECURE: DiscoveryOptions = { insecureHttp: true };
const PAGE = 'https://example.com/app?ac-discovery=1';
const PARENT = 'https://example.com?ac-discovery=1';

/** What each URL has; the others do not answer. */
function web(pages: Readonly<Record<string, string | ScriptedAnswer>>): ScriptedClient {
  return new ScriptedClient(({ url }) => {
    const page = pages[url];
    return typeof page === 'string' ? { body: page } : page;
  });
}

const tag = (content: string, name = 'ac-discovery') => `<meta name="${name}" content="${content}">`;
const keyTag = (content: string) => tag(content, 'ac-discovery-pubkeys');

async function failure(client: ScriptedClient, name: string, options = SECURE): Promise<ImageError> {
  const error = await discoverImage(client, parseImageName(name), options).catch((e: unknown) => e);
  if (!(error instanceof ImageError)) throw error;
  expect([error.code, client.open]).toEqual(['discovery', 0]);
  return error;
}

describe('an image', () => {
  test('is where the page of its name says, in the order of its tags', async () => {
    const client = web({
      [PAGE]: [
        tag('example.com https://one.example/{name}-{version}.{ext}'),
        tag('example.com/app  https://two.example:8443/x.{ext}?a={version}#part'),
      ].join('\n'),
    });
    expect(await discoverImage(client, parseImageName('example.com/app:1.0'), SECURE)).toEqual([
      {
        aci: 'https://one.example/example.com/app-1.0.aci',
        signature: 'https://one.example/example.com/app-1.0.aci.asc',
      },
      { aci: 'https://two.example:8443/x.aci?a=1.0', signature: 'https://two.example:8443/x.aci.asc?a=1.0' },
    ]);
    expect(client.asked()).toEqual([PAGE]);
    expect(client.open).toBe(0);
  });

  test('is looked for at the parents, up to the host', async () => {
    const client = web({
      'https://example.com/a/b/c?ac-discovery=1': { status: 404 },
      'https://example.com/a/b?ac-discovery=1': '<p>nothing</p>',
      'https://example.com/a?ac-discovery=1': keyTag('example.com https://example.com/keys'),
      [PARENT]: tag('example.com https://example.com/{name}.{ext}'),
    });
    const misses: ImageEvent[] = [];
    const report = (event: ImageEvent) => misses.push(event);
    const [found] = await discoverImage(client, parseImageName('example.com/a/b/c'), { ...SECURE, report });
    expect(found?.aci).toBe('https://example.com/example.com/a/b/c.aci');
    expect(misses.map((event) => event.kind === 'discovery-miss' && event.reason)).toEqual([
      'https://example.com/a/b/c?...: expected a 200 OK got 404',
      `https://example.com/a/b: no meta tag 'ac-discovery' for "example.com/a/b/c"`,
      `https://example.com/a: no meta tag 'ac-discovery' for "example.com/a/b/c"`,
    ]);
    expect(client.open).toBe(0);
  });

  test('is where the first page says that says anything', async () => {
    const client = web({
      [PAGE]: tag('example.com https://page.example/{name}.{ext}'),
      [PARENT]: tag('example.com https://parent.example/{name}.{ext}'),
    });
    const [found] = await discoverImage(client, parseImageName('example.com/app'), SECURE);
    expect(found?.aci).toBe('https://page.example/example.com/app.aci');
  });

  test('is where a parent says, if the page has only templates that cannot be filled in', async () => {
    const client = web({
      [PAGE]: [
        tag('example.com https://a.example/{channel}.{ext}'),
        tag('example.com hdfs://b.example/{name}.{ext}'),
        tag('example.com http://c.example/{name}.{ext}'),
        tag('example.com https://d:e@d.example/{name}.{ext}'),
      ].join(''),
      [PARENT]: tag('example.com https://parent.example/{name}.{ext}'),
    });
    const misses: ImageEvent[] = [];
    const report = (event: ImageEvent) => misses.push(event);
    const [found] = await discoverImage(client, parseImageName('example.com/app'), { ...SECURE, report });
    expect(found?.aci).toBe('https://parent.example/example.com/app.aci');
    expect(misses).toMatchObject([
      {
        reason:
          'https://example.com/app: template "https://a.example/{channel}.{ext}" asks for the label "channel", ' +
          'URL hdfs://b.example/example.com/app.aci is neither https nor http, ' +
          'plain http is not allowed: http://c.example/example.com/app.aci',
      },
    ]);
  });

  test.each([
    ['example.com', true],
    ['example.com/a', true],
    ['example.com/app', true],
    ['example.com/app/', false],
    ['example.com/apple', false],
    ['other.com', false],
  ])('is where a tag for the prefix %j says: %j', async (prefix, isFound) => {
    const client = web({ [PAGE]: tag(`${prefix} https://s/{name}.{ext}`) });
    const found = await discoverImage(client, parseImageName('example.com/app'), SECURE).catch(() => []);
    expect(found).toHaveLength(isFound ? 1 : 0);
  });

  test.each(['https://s/{ext}', '', 'example.com', 'example.com   '])(
    'is not where the content %j says',
    async (content) => {
      const client = web({ [PAGE]: tag(content) });
      expect((await failure(client, 'example.com/app')).message).toContain("no meta tag 'ac-discovery'");
    },
  );
});

describe('plain http', () => {
  const plain = PAGE.replace('https', 'http');
  const pages = { [plain]: tag('example.com http://s/{name}.{ext}') };

  test('is not asked unless it is allowed', async () => {
    const client = web(pages);
    await failure(client, 'example.com/app');
    expect(client.asked()).toEqual([PAGE, PARENT]);
  });

  test('is asked after https, then before the parent', async () => {
    const client = web(pages);
    const [found] = await discoverImage(client, parseImageName('example.com/app'), INSECURE);
    expect(found?.aci).toBe('http://s/example.com/app.aci');
    expect(client.asked()).toEqual([PAGE, plain]);
  });

  test('is not asked where https has a page, whatever is on it', async () => {
    const client = web({ ...pages, [PAGE]: '' });
    await failure(client, 'example.com/app', INSECURE);
    expect(client.asked()).toEqual([PAGE, PARENT, PARENT.replace('https', 'http')]);
  });

  test('is not where https may redirect to, even if the client may go there', async () => {
    const body = tag('example.com https://s/{name}.{ext}');
    const client = web({ [PAGE]: { body, url: 'http://example.com/page' } });
    expect((await failure(client, 'example.com/app')).message).toContain(
      'http://example.com/page: plain http is not allowed, but that is where it redirects to',
    );
    expect(await discoverImage(client, parseImageName('example.com/app'), INSECURE)).toHaveLength(1);
  });

  test('gets no credentials', async () => {
    const client = web(pages);
    const credentials = (url: string) => ({ authorization: `for ${new URL(url).host}` });
    await discoverImage(client, parseImageName('example.com/app'), { ...INSECURE, credentials });
    expect(client.asked('authorization')).toEqual([`${PAGE} for example.com`, `${plain} -`]);
  });
});

describe('a search that finds nothing', () => {
  test('tells in one line what was tried and why it failed', async () => {
    const client = web({ [PAGE]: { status: 401 }, [PARENT]: '' });
    const error = await failure(client, 'example.com/app');
    expect(error.message).toBe(
      'discovery failed for "example.com/app": https://example.com/app?...: expected a 200 OK got 401; ' +
        `https://example.com: no meta tag 'ac-discovery' for "example.com/app"`,
    );
    expect(error.cause).toBeInstanceOf(ImageError);
  });

  test('refuses names with more elements than anybody has', async () => {
    const client = web({});
    expect((await failure(client, `a${'/a'.repeat(16)}`)).message).toContain('more than 16 elements');
    expect(client.requests).toEqual([]);
  });

  test('does not read pages of any length', async () => {
    const body = Array.from({ length: 17 }, () => Buffer.alloc(64 * 1024, ' '));
    const error = await failure(web({ [PAGE]: { body } }), 'example.com/app');
    expect(error.message).toContain('page https://example.com/app?... is longer than 1048576 bytes');
  });

  test('does not try templates of any number or length', async () => {
    const bad = tag('example.com https://s/{x}.{ext}').repeat(64);
    const good = tag('example.com https://s/{name}.{ext}');
    const long = tag(`example.com https://s/{name}.{ext}?${'a'.repeat(2048)}`);
    await failure(web({ [PAGE]: bad + good }), 'example.com/app');
    await failure(web({ [PAGE]: long }), 'example.com/app');
    const swollen = tag(`example.com https://s/${'{a}'.repeat(9)}.{ext}`);
    const error = await failure(web({ [PAGE]: swollen }), `example.com/app,a=${'b'.repeat(1000)}`);
    expect(error.message).toContain('is longer than 8192 characters');
  });

  test('ends with its signal, not with the next page', async () => {
    const stop = new AbortController();
    const client = new ScriptedClient(() => {
      stop.abort(new Error('stopped'));
      return undefined;
    });
    const options = { ...SECURE, signal: stop.signal };
    await expect(discoverImage(client, parseImageName('example.com/app'), options)).rejects.toThrow(
      'stopped',
    );
    expect(client.requests).toHaveLength(1);
  });

  test('passes on what no other page would help with', async () => {
    const broken = new ScriptedClient(() => {
      throw new ImageError('system', 'cannot use the certificates');
    });
    const search = discoverImage(broken, parseImageName('example.com/app'), SECURE);
    await expect(search).rejects.toMatchObject({ code: 'system' });
    expect(broken.requests).toHaveLength(1);
  });
});

test('public keys are where the tags for them say, of the first page that has any', async () => {
  const client = web({
    [PAGE]: tag('example.com https://s/{name}.{ext}') + keyTag('example.com http://example.com/plain.gpg'),
    [PARENT]:
      keyTag('example.com https://example.com/keys.gpg?a=1&amp;b=2') +
      keyTag('example.org https://example.com/others.gpg') +
      keyTag('example.com/app https://example.com/more.gpg'),
  });
  expect(await discoverPublicKeys(client, parseACIdentifier('example.com/app'), SECURE)).toEqual([
    'https://example.com/keys.gpg?a=1&b=2',
    'https://example.com/more.gpg',
  ]);
});
