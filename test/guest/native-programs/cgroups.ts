import { limitSettings, setLimits } from '../../../src/native/cgroup-limits.ts';
import {
  addToGroup,
  type Controller,
  endGroup,
  groupBelow,
  makeGroup,
  ownCgroups,
  processesOf,
  removeGroup,
  signalGroup,
} from '../../../src/native/cgroups.ts';
import { readText } from '../../../src/native/contents.ts';
import { argv } from '../../../src/native/engine.ts';
import { mkdir } from '../../../src/native/paths.ts';
import { waitFor } from '../../../src/native/processes.ts';
import { spawn } from '../../../src/native/spawn.ts';
import { exists } from '../../../src/native/stat.ts';
import { codeOf, report } from './report.ts';

const controllers: Controller[] = ['memory', 'cpu', 'pids'];
const layout = ownCgroups();
const group = groupBelow(layout, controllers, argv()[1] ?? 'rkt-native-test');
const values = () => limitSettings(group, limits).map(({ path, text }) => [readText(path).trim(), text]);
const limits = { memoryBytes: 64 * 1024 * 1024, cpuMillis: 250, processes: 20 };

makeGroup(group);
makeGroup(group);
setLimits(group, limits);
const limited = values();
const spawnMember = () =>
  spawn({
    path: '/bin/sleep',
    argv: ['sleep', '60'],
    env: [],
    fds: [0, 1, 2],
    steps: [{ do: 'call', name: 'join the cgroup', action: () => addToGroup(group, 0) }],
  });
const pid = spawnMember();
for (const { path } of group.directories) mkdir(`${path}/below`);
const members = processesOf(group);
const busy = removeGroup(group);
signalGroup(group, 'SIGKILL');
const code = codeOf(waitFor(pid).exit);
const removed = removeGroup(group);
const again = removeGroup(group);
makeGroup(group);
const survivor = spawnMember();
const ended = endGroup(group) && codeOf(waitFor(survivor).exit) === 137;
report({
  mode: layout.mode,
  controllers: group.directories.map((directory) => directory.controller),
  members: members.length === 1 && members[0] === pid,
  busy,
  code,
  removed,
  left: group.directories.filter(({ path }) => exists(path)).length,
  again,
  ended,
  limited: limited.every(([shown, text]) => shown === text),
});
