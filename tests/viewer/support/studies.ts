import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { orthanc } from './orthanc.ts';
import { dicomPort, repository } from './stack.ts';
import type { Rectangle } from './viewer.ts';

const run = promisify(execFile);

export type StudyName = 'ultrasound-still' | 'ultrasound-cine' | 'ct' | 'radiograph';

/** A fresh copy of a demo study with UIDs of its own, stored in Orthanc; the originals stay here to be compared with. */
export interface StoredStudy {
  readonly studyInstanceUid: string;
  /** Where its text is burned in, in stored pixels. */
  readonly banner: Rectangle;
  /** Orthanc's ids, in order of InstanceNumber. */
  readonly instances: readonly string[];
  /** Fetches every instance and lets pydicom judge it. */
  readonly judge: (regions: readonly Rectangle[]) => Promise<Verdict[]>;
  /** The same for an image with regions of its own; `of` names its SOP Instance UID. */
  readonly judgeEach: (regionsOf: (sopInstanceUid: string) => readonly Rectangle[]) => Promise<Verdict[]>;
  readonly remove: () => Promise<void>;
}

export interface Verdict {
  readonly frames: number;
  readonly transferSyntax: string;
  readonly outputTransferSyntax: string;
  readonly notBlack: number;
  readonly changedInside: number;
  readonly changedOutside: number;
  /** Sentences; empty when black inside, unchanged outside, and no attribute differs but those that may. */
  readonly problems: readonly string[];
}

/**
 * @param prepare Changes the files before they are stored, with a dcmtk program for example, or adds to their list.
 * @param way By Orthanc's own interface, or from a modality by C-STORE.
 */
export async function storeStudy(name: StudyName, prepare?: (files: string[]) => Promise<unknown>, way: 'http' | 'modality' = 'http'): Promise<StoredStudy> {
  const folder = mkdtempSync(join(tmpdir(), 'viewer-test-'));
  const tool = join(repository, 'tests/data/Sidecar.TestData/bin/Release/net10.0/demo-studies');
  const { stdout } = await run(tool, ['--out', folder, '--only', name, '--seed', randomUUID()]);
  const { studyInstanceUid, banner, directory } = JSON.parse(stdout) as { studyInstanceUid: string; banner: Rectangle; directory: string };
  const files = readdirSync(directory).sort().map(file => join(directory, file));
  await prepare?.(files);
  const instances: string[] = [];
  if (way === 'modality') {
    await orthanc.allowModality('MODALITY');
    await run('storescu', ['-aet', 'MODALITY', '-aec', 'SIDECAR', '127.0.0.1', dicomPort(), ...files]);
    instances.push(...(await orthanc.instancesOf(studyInstanceUid)));
  } else {
    for (const file of files) {
      instances.push(await orthanc.store(readFileSync(file)));
    }
  }
  const masked = async (): Promise<string[]> => Promise.all(instances.map(async (instance, index) => {
    const path = `${files[index]!}.masked`;
    writeFileSync(path, await orthanc.file(instance));
    return path;
  }));
  return {
    studyInstanceUid,
    banner,
    instances,
    judge: async regions => compare((await masked()).flatMap((path, index) => [files[index]!, path]), regions),
    judgeEach: async regionsOf => {
      // Images with the same regions are judged in one go: starting pydicom takes longer than judging.
      const groups = new Map<string, { regions: readonly Rectangle[]; files: string[] }>();
      for (const [index, path] of (await masked()).entries()) {
        const regions = regionsOf(await orthanc.sopInstanceUid(instances[index]!));
        const group = groups.get(JSON.stringify(regions)) ?? { regions, files: [] };
        groups.set(JSON.stringify(regions), group);
        group.files.push(files[index]!, path);
      }
      return (await Promise.all([...groups.values()].map(group => compare(group.files, group.regions)))).flat();
    },
    remove: async () => {
      rmSync(folder, { recursive: true });
      const study = (await orthanc.familyOf(instances[0]!)).find(({ level }) => level === 'studies')!;
      await orthanc.delete(study);
    },
  };
}

async function compare(files: readonly string[], regions: readonly Rectangle[]): Promise<Verdict[]> {
  const flags = regions.flatMap(({ x, y, width, height }) => ['--region', `${x},${y},${width},${height}`]);
  // Exit status 1 and 2 come with the reasons on standard output; anything else is a broken oracle.
  const { stdout } = await run('/usr/bin/python3', [join(repository, 'tests/oracle/compare.py'), ...files, ...flags], { maxBuffer: 1 << 24 })
    .catch((fault: { stdout?: string }) => (fault.stdout ? { stdout: fault.stdout } : Promise.reject(fault)));
  return stdout.trim().split('\n').map(line => JSON.parse(line) as Verdict);
}
