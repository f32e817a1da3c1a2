import { build } from 'esbuild';

// One ES module with everything in it but what OHIF hands over at run time: the prebuilt OHIF loads it by its address.
await build({
  entryPoints: ['src/index.tsx'],
  outfile: 'dist/extension.js',
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
});
