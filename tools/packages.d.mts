export function packagesOf(part: 'run' | 'build' | 'demo' | 'bench' | 'test'): string[];
