import { importImage, parseReference } from '../../src/image/index.ts';
import { openStore } from '../../src/store/index.ts';

// A process of its own that imports one image: `import-image.ts DATA-DIRECTORY IMAGE`.

const [dataDirectory = '', text = ''] = process.argv.slice(2);
const record = await importImage(openStore(dataDirectory), parseReference(text, process.cwd()), {
  insecureImage: true,
});
process.stdout.write(`${record.id}\n`);
