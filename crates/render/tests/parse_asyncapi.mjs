// Prints what the official parser reports about AsyncAPI documents, one JSON object a line.
//
//     node parse_asyncapi.mjs FOLDER_WITH_NODE_MODULES FILE...

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, ...files] = process.argv.slice(2);
const { Parser } = createRequire(join(folder, 'package.json'))('@asyncapi/parser');
const parser = new Parser();
for (const file of files) {
  const { diagnostics } = await parser.parse(readFileSync(file, 'utf8'));
  for (const { severity, code, path, message } of diagnostics) {
    console.log(JSON.stringify({ file, severity, code, path: path.join('/'), message }));
  }
}
