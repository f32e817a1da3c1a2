import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  minify: true,
  sourcemap: true,
  legalComments: 'linked',
  loader: { '.css': 'text' },
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
};

// One ES module with everything in it but what OHIF hands over at run time: the prebuilt OHIF loads it by its address.
await build({ ...common, entryPoints: ['src/index.tsx'], outfile: 'dist/extension.js' });

// The pages that nginx serves without OHIF: work list, templates, dashboard, schedules, audit.
await build({ ...common, entryPoints: ['src/pages/index.tsx'], outfile: 'dist/pages.js' });
await copyFile('src/pages/page.html', 'dist/page.html');
