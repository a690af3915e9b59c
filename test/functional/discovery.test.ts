import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import { aciOf, labelsOf } from '../support/image-files.ts';
import { ImageSite, metaPage, movedTo } from '../support/image-site.ts';
import * as tar from '../support/tar-archive.ts';

// From the name of an image to the image, by what the host says that the name begins with.

const bench = useFetchBench(['example.com', 'pages.example.com', 'cdn.example.com']);
const { site } = bench;
const plain = new ImageSite();
beforeAll(async () => {
  await bench.network.serve(plain.answer);
});
beforeEach(() => {
  for (const one of [site, plain]) one.clear();
});

const unsigned = { insecure: 'image' };
const image = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  aciOf({ name, labels: labelsOf(labels) }, tar.file('rootfs/hello', name));
const template = (prefix: string, text: string) => metaPage(['ac-discovery', `${prefix} ${text}`]);

describe('a name', () => {
  test('is put into the template that its page has, with the machine and the newest version', async () => {
    site.put(
      '/team/app',
      template('example.com/team', 'https://cdn.example.com/{name}/{version}-{os}-{arch}.{ext}'),
    );
    site.put('/example.com/team/app/latest-linux-amd64.aci', image('example.com/team/app'));
    const { code, stderr } = await bench.run(['--debug', 'fetch', 'example.com/team/app'], {
      store: 'template',
      ...unsigned,
    });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('image: searching for image example.com/team/app\n'),
    });
    expect(stderr).toContain(
      'image: remote fetching from URL "https://cdn.example.com/example.com/team/app/latest-linux-amd64.aci"\n',
    );
    expect(site.log).toEqual([
      'GET /team/app?ac-discovery=1 200',
      'GET /example.com/team/app/latest-linux-amd64.aci 200',
    ]);
  });

  test('brings its labels along, percent-encoded', async () => {
    site.put('/app', template('example.com/app', 'https://example.com/{name}/{channel}/{version}.{ext}'));
    const labels = { version: '1.0+1', channel: 'a b/c' };
    site.put('/example.com/app/a%20b%2Fc/1.0%2B1.aci', image('example.com/app', labels));
    const id = await bench.fetch(['example.com/app:1.0+1,channel=a b/c'], { store: 'labels', ...unsigned });
    expect(await bench.fetch(['--pull-policy=never', 'example.com/app:1.0+1'], { store: 'labels' })).toBe(id);
    expect(site.log.length).toBe(2);
  });

  test('is looked for at its parents, up to the host, and found at the first that knows it', async () => {
    site.put('/a/b', 'no meta tags');
    site.put('/a', template('example.com/other', 'https://example.com/wrong.{ext}'));
    site.put('/', template('example.com', 'https://example.com/right.{ext}'));
    site.put('/right.aci', image('example.com/a/b/c'));
    await bench.fetch(['example.com/a/b/c'], { store: 'parents', ...unsigned });
    expect(site.log).toEqual([
      'GET /a/b/c?ac-discovery=1 404',
      'GET /a/b?ac-discovery=1 200',
      'GET /a?ac-discovery=1 200',
      'GET /?ac-discovery=1 200',
      'GET /right.aci 200',
    ]);
  });

  test('takes the first template that can be filled', async () => {
    site.put(
      '/app',
      metaPage(
        ['ac-discovery', 'example.com https://example.com/{flavour}/{name}.{ext}'],
        ['ac-discovery', 'example.com https://example.com/{name}'],
        ['ac-discovery', 'example.com https://example.com/second.{ext}'],
        ['ac-discovery', 'example.com https://example.com/third.{ext}'],
      ),
    );
    for (const path of ['/second.aci', '/third.aci']) site.put(path, image('example.com/app'));
    await bench.fetch(['example.com/app'], { store: 'templates', ...unsigned });
    expect(site.log.at(-1)).toBe('GET /second.aci 200');
  });

  test('leads on where its page and its image have moved to', async () => {
    site.put('/app', movedTo('https://pages.example.com/moved', 301));
    site.put('/moved', template('example.com/app', 'https://example.com/old.{ext}'));
    site.put('/old.aci', movedTo('https://cdn.example.com/new', 307));
    site.put('/new', image('example.com/app'));
    await bench.fetch(['example.com/app'], { store: 'moved', ...unsigned });
    expect(site.log).toEqual([
      'GET /app?ac-discovery=1 301',
      'GET /moved 200',
      'GET /old.aci 307',
      'GET /new 200',
    ]);
  });

  test('that nobody knows is an error that says where it was looked for', async () => {
    site.put('/', metaPage(['ac-discovery', 'example.com/other https://example.com/{name}.{ext}']));
    expect(await bench.refusal(['example.com/absent/app'], { store: 'absent' })).toBe(
      'fetch: unable to fetch image from image name "example.com/absent/app": discovery failed for "example.com/absent/app": ' +
        'https://example.com/absent/app?...: expected a 200 OK got 404; ' +
        'https://example.com/absent?...: expected a 200 OK got 404; ' +
        'https://example.com: no meta tag \'ac-discovery\' for "example.com/absent/app"\n',
    );
    expect(await bench.refusal(['unknown.example/app'], { store: 'absent' })).toMatch(
      /: discovery failed for "unknown\.example\/app": cannot fetch https:\/\/unknown\.example\/app\?\.\.\.: (no such host|its name could not be looked up)/,
    );
  });

  test.each([
    [
      'is larger than any',
      ' '.repeat(2 * 1024 ** 2),
      /page https:\/\/example\.com\/app\?\.\.\. is longer than 1048576 bytes/,
    ],
    [
      'leads round and round',
      movedTo('/app?ac-discovery=1'),
      /more than 10 redirects, the last to https:\/\/example\.com\/app\?\.\.\./,
    ],
    [
      'leads to a file of this host',
      movedTo('file:///etc/passwd'),
      /redirect from .*: URL file:\/etc\/passwd is neither https nor http/,
    ],
    [
      'knows an image as a file of this host',
      template('example.com', 'file:///images/{name}.{ext}'),
      /URL file:\/images\/example\.com\/app\.aci is neither https nor http/,
    ],
  ])('whose page %s is looked for at its parents', async (what, page, problem) => {
    site.put('/app', page);
    const store = what.replaceAll(' ', '-');
    expect(await bench.refusal(['example.com/app'], { store, ...unsigned })).toMatch(problem);
    site.put('/', template('example.com', 'https://example.com/found.{ext}'));
    site.put('/found.aci', image('example.com/app'));
    await bench.fetch(['example.com/app'], { store, ...unsigned });
  });

  test('that is in the store is not looked for, unless to see whether it has changed', async () => {
    site.put('/app', template('example.com', 'https://example.com/app.{ext}'));
    site.put('/app.aci', { content: image('example.com/app', { build: '1' }), etag: '"1"' });
    const options = { store: 'policies', ...unsigned };
    await expect(bench.refusal(['--pull-policy=never', 'example.com/app'], options)).resolves.toMatch(
      /no image of example\.com\/app in the store, and the pull policy is never$/m,
    );
    const first = await bench.fetch(['--pull-policy=new', 'example.com/app'], options);
    const asked = site.log.length;
    expect(asked).toBe(2);
    const { stdout, stderr } = await bench.run(
      ['--debug', 'fetch', '--full', '--pull-policy=new', 'example.com/app'],
      options,
    );
    expect([stdout, stderr]).toEqual([
      `${first}\n`,
      expect.stringMatching(
        /^image: using image from local store for image name example\.com\/app\nimage: have .*\n$/,
      ),
    ]);
    expect(await bench.fetch(['--pull-policy=never', 'example.com/app'], options)).toBe(first);
    expect(site.log.length).toBe(asked);

    expect(await bench.fetch(['example.com/app'], options)).toBe(first);
    expect(site.log.slice(asked)).toEqual(['GET /app?ac-discovery=1 200', 'GET /app.aci 304']);
    site.put('/app.aci', { content: image('example.com/app', { build: '2' }), etag: '"2"' });
    const second = await bench.fetch(['example.com/app'], options);
    expect(second).not.toBe(first);
    expect(await bench.fetch(['--pull-policy=new', 'example.com/app'], options)).toBe(second);
    expect(await bench.fetch(['--pull-policy=new', 'example.com/app,build=1'], options)).toBe(first);

    // The publisher takes it back.
    site.put('/app.aci', { content: image('example.com/app', { build: '1' }), etag: '"1"' });
    expect(await bench.fetch(['example.com/app'], options)).toBe(first);
    expect(await bench.fetch(['--pull-policy=new', 'example.com/app'], options)).toBe(first);
  });

  test('that leads elsewhere by now is fetched from there, whatever is called the same there', async () => {
    const options = { store: 'elsewhere', ...unsigned };
    const ids = [];
    for (const place of ['one', 'two']) {
      site.put('/app', template('example.com', `https://example.com/${place}.{ext}`));
      const content = image('example.com/app', { place });
      site.put(`/${place}.aci`, { content, etag: '"1"', cacheControl: 'max-age=3600' });
      ids.push(await bench.fetch(['example.com/app'], options));
    }
    expect(new Set(ids).size).toBe(2);
    // What is known of the address is that it leads to another image than the one asked for.
    site.put('/other', template('example.com', 'https://example.com/two.{ext}'));
    const { code, stderr } = await bench.run(['fetch', 'example.com/other'], options);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringMatching(/"example\.com\/other" expected but "example\.com\/app" found$/m),
    });
  });
});

describe('plain http', () => {
  beforeEach(() => {
    plain.put('/app', template('example.com', 'http://example.com/app.{ext}'));
    plain.put('/app.aci', image('example.com/app'));
  });

  test('is not spoken where it is not allowed', async () => {
    expect(await bench.refusal(['example.com/app'], { store: 'plain', ...unsigned })).toMatch(
      /discovery failed/,
    );
    site.put('/app', template('example.com', 'http://example.com/app.{ext}'));
    expect(await bench.refusal(['example.com/app'], { store: 'plain', ...unsigned })).toMatch(
      /plain http is not allowed: http:\/\/example\.com\/app\.aci/,
    );
    site.put('/app', movedTo('http://example.com/app'));
    expect(await bench.refusal(['example.com/app'], { store: 'plain', ...unsigned })).toMatch(
      /cannot fetch http:\/\/example\.com\/app, to which https:\/\/example\.com\/app\?\.\.\. redirects: plain http is not allowed/,
    );
    expect(plain.log).toEqual([]);
  });

  test('is what is left where it is allowed and https has no page', async () => {
    await bench.fetch(['example.com/app'], { store: 'allowed', insecure: 'image,http' });
    expect(site.log).toEqual(['GET /app?ac-discovery=1 404']);
    expect(plain.log).toEqual(['GET /app?ac-discovery=1 200', 'GET /app.aci 200']);
  });

  test('does not come before https', async () => {
    site.put('/app', template('example.com', 'https://example.com/secure.{ext}'));
    site.put('/secure.aci', image('example.com/app'));
    await bench.fetch(['example.com/app'], { store: 'secure', insecure: 'image,http' });
    expect(plain.log).toEqual([]);
  });

  test('does not make a signature superfluous', async () => {
    expect(await bench.refusal(['example.com/app'], { store: 'unsigned', insecure: 'http' })).toMatch(
      /error downloading the signature file: http:\/\/example\.com\/app\.aci\.asc: bad HTTP status code: 404/,
    );
  });
});
