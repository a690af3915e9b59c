import { execFileSync, spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { monotonicMilliseconds, realtime, sleep } from '../../../src/native/clock.ts';
import { useEngine } from '../../../src/native/engine.ts';
import { errnoName, errnoOf } from '../../../src/native/errno.ts';
import { close, open, open_ } from '../../../src/native/files.ts';
import { getLimit, installSeccomp } from '../../../src/native/limits.ts';
import { capabilityMask } from '../../../src/native/privileges.ts';
import { decodeStatus, getpid, kill, openProcess } from '../../../src/native/processes.ts';
import {
  openPty,
  rawMode,
  setTerminalMode,
  setWindowSize,
  terminalMode,
  windowSize,
} from '../../../src/native/ptys.ts';
import { packSignalSet, parseSignalInfo, signalName, signals } from '../../../src/native/signals.ts';
import { attempt } from '../../../src/native/syscall.ts';
import { randomBytes } from '../../../src/native/system.ts';
import { koffiEngine } from '../../support/koffi-syscall.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

describe('processes', () => {
  it('know themselves', () => {
    expect(getpid()).toBe(process.pid);
  });

  it('are signalled by pid, and have fds', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid ?? -1;
    const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
    kill(pid, 0);
    close(openProcess(pid));
    kill(pid, 'SIGTERM');
    expect(await ended).toBe('SIGTERM');
    expect(() => kill(pid, 0)).toThrow('ESRCH');
    expect(() => openProcess(pid)).toThrow('ESRCH');
  });

  it('end with a code or a signal', () => {
    expect(decodeStatus(7 << 8)).toEqual({ kind: 'exited', code: 7 });
    expect(decodeStatus(9)).toEqual({ kind: 'signalled', signal: 9, dumped: false });
    expect(decodeStatus(0x80 | 6)).toEqual({ kind: 'signalled', signal: 6, dumped: true });
  });

  it('have limits', () => {
    const shown = execFileSync('sh', ['-c', 'ulimit -Sn; ulimit -Hn'])
      .toString()
      .trim()
      .split('\n')
      .map(Number);
    const { soft, hard } = getLimit('nofile');
    // Node raises its own soft limit and gives it to its children.
    expect([soft, hard]).toEqual(shown);
  });

  it('have capabilities, which are bits of two words', () => {
    expect(capabilityMask(['CAP_CHOWN', 'CAP_AUDIT_CONTROL', 'CAP_SETFCAP', 'CAP_BPF'])).toEqual([
      0xc0000001, 0x80,
    ]);
  });

  it('refuse a system call filter that is not one', () => {
    expect(() => installSeccomp(new Uint8Array(7))).toThrow('a seccomp program of 7 bytes');
  });
});

describe('signals', () => {
  it('have names', () => {
    expect(signalName(signals.SIGTERM)).toBe('SIGTERM');
    expect(signalName(40)).toBe('SIG40');
  });

  it('are bits in a set', () => {
    expect([...packSignalSet([1, 9, 64])]).toEqual([1, 1, 0, 0, 0, 0, 0, 128]);
  });

  it('carry who sent them', () => {
    const info = new Uint8Array(128);
    new DataView(info.buffer).setUint32(0, 17, true);
    new DataView(info.buffer).setInt32(8, -6, true);
    new DataView(info.buffer).setUint32(12, 1234, true);
    new DataView(info.buffer).setUint32(16, 1000, true);
    new DataView(info.buffer).setInt32(40, 3, true);
    expect(parseSignalInfo(info)).toEqual({ signal: 17, code: -6, pid: 1234, uid: 1000, status: 3 });
  });
});

describe('clocks', () => {
  it('run', () => {
    const started = monotonicMilliseconds();
    sleep(15);
    expect(monotonicMilliseconds() - started).toBeGreaterThanOrEqual(15);
    expect(Math.abs(realtime().seconds - Date.now() / 1000)).toBeLessThan(2);
  });
});

describe('terminals', () => {
  it('come in pairs, have a size and modes', () => {
    const pty = openPty();
    setWindowSize(pty.controller, { rows: 40, columns: 132 });
    expect(windowSize(pty.terminal)).toEqual({ rows: 40, columns: 132 });
    const mode = terminalMode(pty.terminal);
    if (mode === undefined) throw new Error('no mode');
    setTerminalMode(pty.terminal, rawMode(mode));
    const raw = terminalMode(pty.terminal);
    expect(raw).toEqual(rawMode(mode));
    expect(execFileSync('stty', ['-a'], { stdio: [pty.terminal, 'pipe', 'ignore'] }).toString()).toMatch(
      /40.*132[\s\S]*-icrnl[\s\S]*-opost[\s\S]*-icanon[\s\S]*-echo/,
    );
    close(pty.controller);
    close(pty.terminal);
  });

  it('are told from what is none', () => {
    const fd = open('/dev/null', open_.readOnly);
    expect(terminalMode(fd)).toBeUndefined();
    expect(windowSize(fd)).toBeUndefined();
    close(fd);
  });
});

describe('system calls', () => {
  it('are repeated when interrupted', () => {
    let calls = 0;
    useEngine({ ...koffiEngine, syscall: () => (++calls < 3 ? -4 : 5) });
    expect(attempt('getpid')).toBe(5);
    expect(calls).toBe(3);
    useEngine(koffiEngine);
  });

  it('give random bytes', () => {
    expect(randomBytes(32)).toHaveLength(32);
    expect([...randomBytes(32)]).not.toEqual([...randomBytes(32)]);
  });

  it('have error names both ways', () => {
    expect(errnoName(2)).toBe('ENOENT');
    expect(errnoOf('EAGAIN')).toBe(11);
    expect(errnoName(4000)).toBe('E4000');
    expect(() => errnoOf('ENONSENSE')).toThrow('ENONSENSE');
  });
});
