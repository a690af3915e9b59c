import { expect, test } from 'vitest';
import { type Hop, redirected, redirectOf } from '../../../../src/image/http/redirect.ts';

const hop = (more: Partial<Hop> = {}): Hop => ({
  method: 'GET',
  url: new URL('https://a.example/v2/x'),
  headers: { authorization: 'secret', cookie: 'secret', range: 'bytes=5-' },
  body: undefined,
  ...more,
});

test('what is to be followed', () => {
  const location = 'https://b.example/';
  for (const status of [301, 302, 303, 307, 308])
    expect(redirectOf({ status, headers: { location } })).toBe(location);
  for (const status of [200, 201, 300, 304, 305])
    expect(redirectOf({ status, headers: { location } })).toBeUndefined();
  expect(redirectOf({ status: 302, headers: {} })).toBeUndefined();
});

test.each(['/other', 'https://a.example/other', 'https://a.example:443/other', '//A.EXAMPLE/other'])(
  'within the origin, to %s, everything goes along',
  (location) => {
    expect(redirected(hop(), 307, location)).toEqual(hop({ url: new URL('https://a.example/other') }));
  },
);

test.each(['https://b.example/', 'https://a.example:8443/', 'http://a.example/', 'https://www.a.example/'])(
  'to %s credentials stay behind',
  (location) => {
    expect(redirected(hop(), 302, location).headers).toEqual({ range: 'bytes=5-' });
  },
);

test('what was posted is posted again only if the answer says so', () => {
  const posted = hop({ method: 'POST', body: 'form' });
  expect(redirected(posted, 303, '/seen')).toMatchObject({ method: 'GET', body: undefined });
  expect(redirected(posted, 308, '/seen')).toMatchObject({ method: 'POST', body: 'form' });
  expect(redirected(hop({ method: 'HEAD' }), 302, '/seen')).toMatchObject({ method: 'HEAD' });
});

test('what was posted is for the origin that it was posted to', () => {
  const posted = hop({ method: 'POST', body: 'refresh_token=secret' });
  const elsewhere = 'https://b.example/token?x=y';
  expect(() => redirected(posted, 307, elsewhere)).toThrow(
    expect.objectContaining({
      code: 'bad-answer',
      message:
        'redirect from https://a.example/v2/x to https://b.example/token?...: what was posted is not sent to another host',
    }),
  );
  expect(redirected(posted, 302, elsewhere)).toMatchObject({ method: 'GET', body: undefined });
});

test.each([
  ['file:///etc/passwd', /redirect from https:\/\/a\.example\/v2\/x: URL file:\/etc\/passwd is neither/],
  [
    'https://user:secret@b.example/?sig=secret',
    /URL https:\/\/b\.example\/\?\.\.\. has a user name or password/,
  ],
  ['https://user:secret@', /not a URL: "https:\/\/\.\.\.@"/],
])('to %s nobody goes', (location, message) => {
  expect(() => redirected(hop(), 302, location)).toThrow(
    expect.objectContaining({ code: 'bad-answer', message: expect.stringMatching(message) }),
  );
  expect(() => redirected(hop(), 302, location)).not.toThrow(/secret/);
});
