import { readSnapshot } from '../../../src/supervisor/network/snapshot.ts';
import { readSysctlChanges } from '../../../src/supervisor/network/sysctl-changes.ts';
import { report } from './report.ts';

// What the namespace that it runs in has beside a loopback: the plan of it, and what cannot be in one.
const LOOPBACK = 1;
const { plan, links, remarks } = readSnapshot(new Set([LOOPBACK]));
const sysctls = readSysctlChanges(plan.interfaces);
report({ plan: { ...plan, sysctls }, links: links.map(({ name }) => name), remarks });
