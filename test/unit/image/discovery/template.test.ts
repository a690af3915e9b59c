import { expect, test } from 'vitest';
import { parseImageName } from '../../../../src/appc/index.ts';
import { renderTemplate } from '../../../../src/image/discovery/template.ts';
import { hostPlatform } from '../../../../src/os/host-platform.ts';

const host = `${hostPlatform.os}/${hostPlatform.arch}`;

test.each([
  [
    'example.com/app:1.0,os=linux,arch=amd64',
    'https://s/{os}/{arch}/{name}-{version}.{ext}',
    'https://s/linux/amd64/example.com/app-1.0',
  ],
  ['example.com/app', 'https://s/{name}-{version}.{ext}', 'https://s/example.com/app-latest'],
  ['example.com/app:', 'https://s/{name}-{version}.{ext}', 'https://s/example.com/app-latest'],
  ['app', 'https://s/{os}/{arch}/{name}.{ext}', `https://s/${host}/app`],
  ['app,os=', 'https://s/{os}/{name}.{ext}', 'https://s//app'],
  ['app,channel=beta', 'https://s/{channel}/{channel}.{ext}', 'https://s/beta/beta'],
  ['app:1.0+git ü/?#', 'https://s/{version}.{ext}', 'https://s/1.0%2Bgit%20%C3%BC%2F%3F%23'],
  [`app:it's(1)*!`, 'https://s/{version}.{ext}', 'https://s/it%27s%281%29%2A%21'],
  ['app:{name}{ext}', 'https://s/{version}.{ext}', 'https://s/%7Bname%7D%7Bext%7D'],
  ['app,ext=zip', 'https://s/{name}.{ext}', 'https://s/app'],
  ['app:...', 'https://s/{version}.{ext}', 'https://s/...'],
])('%s in %s', (name, template, expected) => {
  expect(renderTemplate(template, parseImageName(name))).toEqual({
    aci: `${expected}.aci`,
    signature: `${expected}.aci.asc`,
  });
});

test.each([
  ['app', 'https://s/{name}.aci', 'template "https://s/{name}.aci" has no {ext}'],
  ['app', 'https://s/{channel}.{ext}', 'template "https://s/{channel}.{ext}" asks for the label "channel"'],
  ['app', 'https://s/{}.{ext}', 'asks for the label ""'],
  ['app', 'https://s/{Name}.{ext}', 'asks for the label "Name"'],
  ['app', 'https://s/{__proto__}.{ext}', 'asks for the label "__proto__"'],
  ['app:..', 'https://s/{version}/{ext}', 'label "version" cannot be put in a URL: ".."'],
  ['app,a=.', 'https://s/{a}/{ext}', 'label "a" cannot be put in a URL: "."'],
  [`app,a=${'x'.repeat(1025)}`, 'https://s/{a}/{ext}', 'label "a" cannot be put in a URL: "xxx'],
])('%s cannot be put in %s', (name, template, problem) => {
  expect(() => renderTemplate(template, parseImageName(name))).toThrow(problem);
});
