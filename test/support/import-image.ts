import { openStore } from '../../src/store/index.ts';
import { fetchLocal } from './fetch.ts';

// A process of its own that imports one image: `import-image.ts DATA-DIRECTORY IMAGE`.

const [dataDirectory = '', text = ''] = process.argv.slice(2);
const record = await fetchLocal(openStore(dataDirectory), text, process.cwd());
process.stdout.write(`${record.id}\n`);
