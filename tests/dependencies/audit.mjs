// Known vulnerabilities of what is shipped, as the package registries tell them: .NET packages by `dotnet list package --vulnerable`, npm packages by
// `npm audit`. A registry that does not tell (offline, a mirror without that service) is no clean bill: both tools answer such a mirror with "nothing found".
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Projects and folders whose packages reach a hospital. The viewer's bundle is built from packages that npm calls dev, so all of those are asked for. */
export const shipped = {
  nuget: ['sidecar/Sidecar/Sidecar.csproj', 'sidecar/Sidecar.Worker/Sidecar.Worker.csproj'],
  npm: [
    { folder: 'ohif-extension', options: [] },
    { folder: 'orthanc-config/identity-provider', options: ['--omit=dev'] },
    { folder: 'sidecar/text-models', options: ['--omit=dev'] },
  ],
};

function run(program, args, patience, options = {}) {
  return new Promise((done) => {
    execFile(program, args, { cwd: root, timeout: patience, killSignal: 'SIGKILL', maxBuffer: 1 << 26, ...options }, (error, out, said) => done({ error, out, said }));
  });
}

const unanswered = (reason) => ({ unanswered: reason, found: [] });

/** The package sources that are set up on this machine. */
export async function nugetSources() {
  const { out } = await run('dotnet', ['nuget', 'list', 'source', '--format', 'short'], 60_000);
  return out.split('\n').filter((line) => line.startsWith('E ')).map((line) => line.slice(2).trim());
}

/** What the sources know against the packages of a project that was restored: `{ found: ['package version: severity address'], unanswered: why }`. Milliseconds of patience keep the tests short where nothing answers. */
export async function auditNuget(project, sources, patience = 12_000) {
  const folder = await mkdtemp(join(tmpdir(), 'dependency-audit-'));
  try {
    const xml = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
    const add = sources.map((source, i) => `<add key="source${i}" value="${xml(source)}" allowInsecureConnections="true" />`).join('');
    const config = join(folder, 'nuget.config');
    await writeFile(config, `<configuration><packageSources><clear />${add}</packageSources><auditSources><clear />${add}</auditSources></configuration>`);
    const { error, out, said } = await run('dotnet', ['list', project, 'package', '--vulnerable', '--include-transitive', '--format', 'json', '--no-restore', '--config', config], patience);
    let answer;
    try {
      answer = JSON.parse(out);
    } catch {
      return unanswered(error?.killed ? `no answer within ${patience / 1000} s` : (said || out).trim().split('\n')[0]);
    }
    const found = (answer.projects ?? []).flatMap((p) => p.frameworks ?? []).flatMap((f) => [...(f.topLevelPackages ?? []), ...(f.transitivePackages ?? [])])
      .flatMap((p) => (p.vulnerabilities ?? []).map((v) => `${p.id} ${p.resolvedVersion}: ${v.severity} ${v.advisoryurl}`));
    const problem = answer.problems?.[0]?.text ?? (error ? said.trim().split('\n')[0] || String(error) : undefined);
    return { found, unanswered: found.length === 0 ? problem : undefined };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The same for an npm folder with a lock file; nothing needs to be installed. Without a registry, that of npm's own settings is asked. */
export async function auditNpm({ folder, options }, registry, patience = 12_000) {
  const { error, out, said } = await run('npm', ['audit', '--json', '--package-lock-only', '--fetch-retries=0', ...options, ...(registry ? [`--registry=${registry}`] : [])], patience, { cwd: join(root, folder) });
  let answer;
  try {
    answer = JSON.parse(out);
  } catch {
    return unanswered(error?.killed ? `no answer within ${patience / 1000} s` : (said || out).trim().split('\n')[0]);
  }
  if (!answer.vulnerabilities) {
    return unanswered((answer.message ?? answer.error?.summary ?? 'npm audit gave no list').replace(/https?:\/\/\S+/g, 'its audit service'));
  }
  return { found: Object.values(answer.vulnerabilities).map((v) => `${v.name}: ${v.severity} ${v.via.map((w) => w.url ?? w).join(' ')}`) };
}
