import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { failuresDe, problemsDe, restoreFailuresDe, unscannableDe } from '../src/i18n/sidecar.de';
import { describeProblem } from '../src/jobs/jobText';
import { describe as describeOnPage } from '../src/pages/describe';
import { SidecarProblem } from '../src/sidecar/client';
import { sentenceOfFailure, sentenceOfUnscannable } from '../src/sidecar/sentences';
import { aJob } from './support';

const sidecar = join(__dirname, '../../sidecar/Sidecar');
const failure = { seriesInstanceUid: '1.1', sopInstanceUid: '1.1.9', instanceNumber: 9, reason: 'Not understood at 12%.' };
const problem = (name: string, status = 409): SidecarProblem => new SidecarProblem(status, `urn:sidecar:problem:${name}`, 'Wait for its end.');

describe('what the sidecar says, where OHIF is German', () => {
  afterEach(() => localStorage.clear());
  const inGerman = (): void => localStorage.setItem('i18nextLng', 'de-DE');

  test('a failed image is told by its cause, with what only the sidecar knows', () => {
    inGerman();
    expect(sentenceOfFailure(aJob(), { ...failure, cause: 'deleted' })).toBe(failuresDe.deleted);
    expect(sentenceOfFailure(aJob(), { ...failure, cause: 'damaged' })).toMatch(/^Die Datei dieses Bildes ist beschädigt.* Der Dienst meldet: Not understood at 12%\.$/);
    expect(sentenceOfFailure(aJob({ restoresJob: 'job-0' }), { ...failure, cause: 'deleted' })).toBe(restoreFailuresDe['deleted']);
  });

  test('an image that could not be scanned is told by its cause', () => {
    const image = { id: 'a', seriesInstanceUid: '1.1', sopInstanceUid: '1.1.9', reason: 'Not understood at 12%.', acknowledged: false };
    expect(sentenceOfUnscannable({ ...image, cause: 'archive' })).toBe(image.reason);
    inGerman();
    expect(sentenceOfUnscannable({ ...image, cause: 'archive' })).toBe(unscannableDe.archive);
    expect(sentenceOfUnscannable({ ...image, cause: 'damaged' })).toMatch(/^Die Datei dieses Bildes ist beschädigt.* Der Dienst meldet: Not understood at 12%\.$/);
    expect(sentenceOfUnscannable(image)).toBe(image.reason);
  });

  test('what has no name, or one that is not known here, is told as the sidecar says it', () => {
    inGerman();
    expect(sentenceOfFailure(aJob(), failure)).toBe(failure.reason);
    expect(describeProblem(problem('of-a-later-version'))).toBe('Wait for its end.');
  });

  test('a refusal is told by its type, in the viewer and on the pages', () => {
    inGerman();
    expect(describeProblem(problem('job-running'))).toBe(problemsDe['job-running']);
    expect(describeOnPage(problem('job-running'))).toBe(problemsDe['job-running']);
    expect(describeProblem(problem('findings-open'))).toContain('Der Dienst meldet: Wait for its end.');
  });

  test('in English the sidecar speaks for itself', () => {
    expect(sentenceOfFailure(aJob(), { ...failure, cause: 'deleted' })).toBe(failure.reason);
    expect(describeProblem(problem('job-running'))).toBe('Wait for its end.');
  });

  test('there is a German sentence for each refusal of the sidecar, and none for another', () => {
    const sources = readdirSync(sidecar, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.cs') && !/^(bin|obj)\b/.test(name));
    const names = sources.flatMap(name => [...readFileSync(join(sidecar, name), 'utf8').matchAll(/\(\s*(?:\d{3}|[\w.()]+StatusCode),\s*"([a-z-]+)",/g)].map(match => match[1] ?? ''));
    expect(Object.keys(problemsDe).sort()).toEqual([...new Set(names)].sort());
  });
});
